"""What stands above single runs: incidents, limits, pauses, outages and bulk actions."""
