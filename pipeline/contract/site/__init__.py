"""What apps tell the pages of the pipeline, and files that people save or that come."""
