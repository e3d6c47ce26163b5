"""Quotes of a brand, and the personas that they are copied to."""
