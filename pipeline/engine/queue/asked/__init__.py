"""What people ask of runs: of one, of all runs of an incident, of those that a filter found."""
