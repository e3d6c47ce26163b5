"""What people decide about many runs at once: limits, pauses, incidents and bulk actions."""
