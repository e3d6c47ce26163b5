"""What the pages of the Pipeline Manager and the overview ask."""
