"""What people ask of runs: of one, or of all runs of an incident."""
