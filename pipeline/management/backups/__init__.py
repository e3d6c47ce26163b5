"""How a database is saved in a file and put back, for each kind of database."""


class BackupFailed(Exception):
    """Its message says why, to be shown as it is."""
