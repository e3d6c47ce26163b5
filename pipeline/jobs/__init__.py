"""Job types that the product starts for itself, a folder each, named after the job type."""
