"""What is live, what it waits for, and the limits beside it."""
