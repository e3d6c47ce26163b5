import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Serve the site with waitress, a threaded WSGI server. A reverse proxy does TLS and the public address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--listen", default="127.0.0.1:8000", help="host:port (default 127.0.0.1:8000)")
        parser.add_argument("--threads", type=int, default=8)

    def handle(self, *args: Any, **options: Any) -> None:
        # exec, because the settings must be read again with the pool switched on. The checks have passed by now.
        os.environ["PIPELINE_DATABASE_POOL"] = "1"
        module, _, name = settings.WSGI_APPLICATION.rpartition(".")
        # A TLS proxy on this machine says in a header that the request came by https. Waitress drops it unless told to trust it.
        arguments = [
            f"--listen={options['listen']}",
            f"--threads={options['threads']}",
            "--ident=",
            # Browsers keep about six idle connections each: at 100, the default, 17 of them would shut everybody else out.
            "--connection-limit=1000",
            "--asyncore-use-poll",  # select() ends at 1,024 file descriptors
            "--trusted-proxy=127.0.0.1",
            "--trusted-proxy-headers=x-forwarded-proto x-forwarded-for",
            "--clear-untrusted-proxy-headers",
            f"{module}:{name}",
        ]
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "waitress", *arguments])  # noqa: S606  our own interpreter
