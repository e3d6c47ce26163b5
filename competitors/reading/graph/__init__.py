"""What Meta's Graph API sends, field by field."""
