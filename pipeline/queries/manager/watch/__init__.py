"""What monitors ask: whether work can go on, and figures of it. Read by machines, so of all brands."""
