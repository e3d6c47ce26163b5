"""What stands above single runs: incidents, limits, pauses and outages."""
