"""The calls that the sandbox answers, one file per kind of thing."""
