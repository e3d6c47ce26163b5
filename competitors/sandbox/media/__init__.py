"""Pictures and videos that the sandbox makes itself, and their signed links."""
