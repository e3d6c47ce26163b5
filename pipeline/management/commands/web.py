import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...checks import SAFETY, is_loopback

FORM_BYTES = 1_000_000  # what an upload has besides its file


class Command(BaseCommand):
    help = "Serve the site with waitress, a threaded WSGI server. A reverse proxy does TLS and the public address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--listen", default="127.0.0.1:8000", help="host:port (default 127.0.0.1:8000)")
        parser.add_argument("--threads", type=int, default=16)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEBUG and not is_loopback(options["listen"].rpartition(":")[0]):
            reach = f"Not started: DEBUG is on, and others can reach {options['listen']}."
            raise CommandError(f"{reach} Listen on 127.0.0.1, or unset DEBUG.")
        self.check(tags=[SAFETY], include_deployment_checks=True)
        # exec, because the settings must be read again with the pool switched on. The checks have passed by now.
        os.environ["PIPELINE_DATABASE_POOL"] = "1"
        module, _, name = settings.WSGI_APPLICATION.rpartition(".")
        largest = max(settings.MEDIA_MAX_IMAGE_BYTES, settings.MEDIA_MAX_VIDEO_BYTES) + FORM_BYTES
        arguments = [
            f"--listen={options['listen']}",
            f"--threads={options['threads']}",
            "--ident=",
            # Browsers keep about six idle connections each: at 100, the default, 17 of them would shut everybody else out.
            "--connection-limit=1000",
            "--asyncore-use-poll",  # select() ends at 1,024 file descriptors
            # A request that is never finished holds a connection, no thread. In silence it is closed after this long.
            "--channel-timeout=20",
            "--cleanup-interval=5",
            f"--max-request-body-size={largest}",
            "--clear-untrusted-proxy-headers",
        ]
        if settings.TRUSTED_PROXY:  # it says in headers who asked, and whether by https
            arguments += [
                f"--trusted-proxy={settings.TRUSTED_PROXY}",
                "--trusted-proxy-headers=x-forwarded-proto x-forwarded-for",
            ]
        arguments.append(f"{module}:{name}")
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "waitress", *arguments])  # noqa: S606  our own interpreter
