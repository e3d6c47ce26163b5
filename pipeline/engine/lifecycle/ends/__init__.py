"""What the end of a run writes beside its own row."""
