"""A person's own account: signing in and out, their session, theme and password."""
