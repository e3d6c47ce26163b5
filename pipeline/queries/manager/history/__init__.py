"""What was: every run, and two of them compared."""
