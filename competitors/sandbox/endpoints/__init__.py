"""The API calls that the sandbox answers, one file per kind of resource."""
