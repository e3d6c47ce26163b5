"""``manage.py sandbox``: a local imitation of Apify, Meta's Graph API and its CDN. It needs no database and no network."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from competitors.sandbox.config import Config
from competitors.sandbox.fault_kinds import KINDS, Kind
from competitors.sandbox.faults import parse_flag
from competitors.sandbox.server import loopback, serve


class Command(BaseCommand):
    help = "Run a local imitation of Apify, Meta's Graph API and its CDN, for development and tests. Loopback only; needs DEBUG."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        faults = "\n".join(f"  {name:18} {kind.meaning}{_default(kind)}" for name, kind in KINDS.items())
        epilog = (
            "--faults takes name[=value][*count][@path], separated by commas. Default values are in brackets:\n"
            f"{faults}\n\nExample: --faults 'drop_start*1,slow=0.2@/datasets/'. POST /sandbox/faults takes the same as JSON."
        )
        kwargs |= {"epilog": epilog, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8600, help="0 picks a free port (default: 8600)")
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
        parser.add_argument(
            "--data",
            type=Path,
            metavar="PATH",
            help="folder with amazon_reviews*.jsonl and meta_ads*.jsonl, or one such file. A query for an ASIN, or a URL for a "
            "page, in the files gets all its matching items, unchanged. ASIN or search word ALL0000000 gets every item, "
            "ALL0000001 those of the first file by name, and so on. Anything else gets made-up items",
        )
        time = parser.add_mutually_exclusive_group()
        time.add_argument("--run-seconds", type=float, metavar="S", help="how long every run takes (default: 20)")
        time.add_argument("--speed", type=float, metavar="X", help="instead: X times faster than the real actor")
        settle = "a run's cost stays preliminary for S seconds after its end (default: 2)"
        parser.add_argument("--settle-seconds", type=float, default=2.0, metavar="S", help=settle)
        parser.add_argument("--seed", type=int, default=1, help="seed of made-up items and percentage faults (default: 1)")
        parser.add_argument("--token", help="the only accepted token (default: any, except 'bad-token')")
        parser.add_argument("--price", type=float, metavar="USD", help="price of 1,000 items (default: the actor's own)")
        parser.add_argument("--memory", type=int, default=65_536, metavar="MB", help="limit for all live runs (default: 65536)")
        parser.add_argument("--concurrent-runs", type=int, default=32, metavar="N", help="most live runs at once (default: 32)")
        parser.add_argument("--faults", default="", help="faults that are armed at the start; see below")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The sandbox is for development: it runs only with DEBUG on (set DEBUG=1).")
        try:
            loopback(options["host"])
            faults = parse_flag(options["faults"])
            sandbox = serve(options["port"], options["host"], config=_config(options), faults=faults)
        except (ValueError, OSError, OverflowError) as error:
            raise CommandError(str(error)) from None
        try:
            self.stdout.write(f"Sandbox listening on {sandbox.url}")
            self.stdout.write(f"Graph API at {sandbox.graph_url}, pictures and videos at {sandbox.cdn_url}")
            self.stdout.flush()
            sandbox.wait()
        except KeyboardInterrupt:
            sandbox.close()


def _default(kind: Kind) -> str:
    return "" if kind.default is True else f" [{kind.default}]"


def _config(options: dict[str, Any]) -> Config:
    data, speed = options["data"], options["speed"]
    if data is not None and not data.exists():
        raise ValueError(f"--data {data} does not exist.")
    if data is not None and data.is_dir() and not any(data.glob("*.jsonl")):
        raise ValueError(f"--data {data} has no .jsonl file.")
    for name in ("speed", "run_seconds", "settle_seconds", "price"):
        if options[name] is not None and (options[name] < 0 or (name == "speed" and options[name] == 0)):
            raise ValueError(f"--{name.replace('_', '-')} must be a positive number.")
    return Config(
        seed=options["seed"],
        data=data,
        run_seconds=None if speed else 20.0 if options["run_seconds"] is None else options["run_seconds"],
        speed=speed or 1.0,
        settle_seconds=options["settle_seconds"],
        price_per_1000_usd=options["price"],
        memory_limit_mbytes=options["memory"],
        concurrent_runs_limit=options["concurrent_runs"],
        token=options["token"],
    )
