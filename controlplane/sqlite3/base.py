"""Django's SQLite, whose file only its owner can read. SQLite gives its other files the permissions of this one."""

import os
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base

IN_MEMORY = (":memory:", "file:")


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        path = str(conn_params["database"])
        if not path.startswith(IN_MEMORY):
            with suppress(OSError):  # it exists; or cannot be made, which SQLite says better
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)
