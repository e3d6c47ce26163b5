"""Sends one notification: e-mail, Slack, a signed webhook, or a service that apprise knows. At least once, with an id."""
