"""What was: the list of all runs, two of them compared, and one run again with other parameters."""
