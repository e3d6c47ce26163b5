"""What was: every run, what is done to many of them, and two of them compared."""
