"""What was: the list of all runs, what is done to many of them, two compared, and one again with other parameters."""
