"""The Pipeline Manager: a file per tab. A page includes pipeline/manager/_tabs.html, which says which tab is open."""

# Label and name of the address, in the order of the page. A tab is shown once its address exists, to those whom its view lets in.
TABS = (
    ("Health", "health"),
    ("Schedules", "schedules"),
    ("Active", "active"),
    ("History", "runs"),
    ("Freshness", "freshness"),
    ("Notifications", "notifications"),
)
