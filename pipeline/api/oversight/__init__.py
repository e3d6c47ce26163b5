"""What people decide about many runs at once: limits, pauses and incidents."""
