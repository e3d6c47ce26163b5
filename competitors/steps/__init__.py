"""What job types share of their work: the step that stores pictures, and results in words."""
