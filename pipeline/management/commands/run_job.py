"""Queue a run from the command line, follow it, or run it in this process."""

import contextlib
import json
import time
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.contract.registry import offered_types
from pipeline.models import Brand, Run, RunLog
from pipeline.people import brands_for
from pipeline.queries import explain, no_worker_since
from pipeline.states import RunStatus
from pipeline.words import to_the_second
from pipeline.words.foreign import harmless

POLL_SECONDS = 0.25
FAILED, BAD_USAGE, GAVE_UP = 1, 2, 3


class Command(BaseCommand):
    help = (
        "Queue a job once (default), follow it (--wait), or run it in this process (--direct)."
        " Exit 0 done or queued, 1 run failed or cancelled, 2 bad usage, 3 stopped waiting, 130 Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job_type", help=f"one of: {', '.join(one.name for one in offered_types())}")
        parser.add_argument("--brand", help="slug or id; without it the job is site-wide")
        parser.add_argument("--by", metavar="NAME", help="act for this person, with their rights and brands")
        parser.add_argument(
            "--param", action="append", default=[], metavar="K=V", help="a parameter; V may be a JSON list or object"
        )
        parser.add_argument("--params", default="{}", metavar="JSON", help="all parameters as one JSON object")
        parser.add_argument(
            "--reuse", action="store_true", help="use what was fetched lately for another run, if that fits; free"
        )
        parser.add_argument("--wait", action="store_true", help="show its log until it ends; Ctrl-C stops showing, not the run")
        parser.add_argument("--timeout", type=float, metavar="S", help="stop waiting after S seconds; the run continues")
        parser.add_argument("--direct", action="store_true", help="run it in this process; Ctrl-C gives it to the workers")
        parser.add_argument(
            "--json", action="store_true", help="one JSON object on standard output; everything else on standard error"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        try:
            by = find_user(options["by"]) if options["by"] else None
            brand = find_brand(options["brand"], by) if options["brand"] else None
            parameters = read_parameters(options["params"], options["param"])
            brand_id = brand.pk if brand else None
            asked = {"created_by": by, "reuse": options["reuse"]}
            if options["direct"]:
                queued = api.start_here(brand_id, options["job_type"], parameters, mode=Run.Mode.DIRECT, **asked)
            else:
                queued = api.queue_one_time_job(brand_id, options["job_type"], parameters, **asked)
        except (InvalidRequest, NotAllowed) as error:
            raise CommandError(str(error), returncode=BAD_USAGE) from error
        except DatabaseError as error:
            words = f"Not queued: the database refused ({str(error).strip()}). Try again once it works."
            raise CommandError(words, returncode=FAILED) from error
        run = queued.run
        self.estimate = queries.estimate_of(run)
        self.say(
            f"Run {run.pk}: "
            + ("started here." if options["direct"] else "queued.")
            + (f" {self.estimate}" if self.estimate else "")
            if queued.created
            else queries.already_queued(run, parameters, by)
        )
        if options["wait"] or (options["direct"] and queued.created):
            self.follow(run, options["timeout"], direct=options["direct"] and queued.created)
        else:
            if trouble := no_worker_since(timezone.now()):
                self.say(trouble)
            self.answer(run, queued.created)
            return
        self.answer(run, queued.created)
        if run.status != RunStatus.COMPLETED:
            raise CommandError(
                f"Run {run.pk} {run.get_status_display().lower()}: {run.error_message or run.summary}", returncode=FAILED
            )

    def follow(self, run: Run, timeout: float | None, *, direct: bool) -> None:
        """Print log lines until the run has ended. Raises CommandError after the timeout or on Ctrl-C."""
        seen, said = 0, ""
        end = time.monotonic() + timeout if timeout is not None else None
        try:
            while True:
                run.refresh_from_db()
                for line in RunLog.objects.filter(run=run, seq__gt=seen):
                    self.say(f"{to_the_second(line.at)} {line.level:7} {line.message}")
                    seen = line.seq
                if not run.is_live:
                    return
                note = (run.progress or {}).get("note") or (
                    explain(run, timezone.now()) if run.status == RunStatus.PENDING else ""
                )
                if note and note != said:
                    self.say(f"{to_the_second()} …       {note}")
                    said = note
                if direct and run.status in (RunStatus.PENDING, RunStatus.WAITING):
                    self.say(f"Run {run.pk} is back in the queue. A worker will continue it.")
                    direct = False
                if end is not None and time.monotonic() > end:
                    raise CommandError(f"Gave up waiting after {timeout:g} s. Run {run.pk} continues.", returncode=GAVE_UP)
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            if direct:
                api.hand_back_all()
                raise CommandError(f"Run {run.pk} is back in the queue. A worker will continue it.", returncode=130) from None
            raise CommandError(f"Run {run.pk} continues without this command.", returncode=130) from None

    def answer(self, run: Run, created: bool) -> None:
        if self.as_json:
            self.stdout.write(
                json.dumps(
                    {
                        "run": run.pk,
                        "created": created,
                        "job_type": run.job_type,
                        "status": run.status,
                        "verdict": run.verdict,
                        "counts": run.counts,
                        "summary": run.summary,
                        "error": run.error_message,
                        "estimate_usd": str(self.estimate.cost_usd) if self.estimate else None,
                        "cost_usd": str(run.cost_actual) if run.cost_actual is not None else None,
                    }
                )
            )
        elif not run.is_live:
            cost = f" Cost ${run.cost_actual:.2f}." if run.cost_actual is not None else ""
            self.stdout.write(f"Run {run.pk} {run.get_status_display().lower()}. {harmless(run.summary)}{cost}")

    def say(self, words: str) -> None:
        out = self.stderr if self.as_json else self.stdout
        out.write(harmless(words), self.style.NOTICE if self.as_json else None)
        out.flush()


def find_user(name: str) -> Any:
    """The person of that name. InvalidRequest if there is none."""
    if (user := get_user_model().objects.filter(username=name).first()) is None:
        raise InvalidRequest(f"There is no person {name!r}.")
    return user


def find_brand(text: str, by: Any) -> Brand:
    """The brand with this slug or id, if it is open to `by`. InvalidRequest with the open ones if there is none."""
    known_brands = brands_for(by).rows()
    brand = known_brands.filter(slug=text).first()
    if brand is None:
        try:
            brand = known_brands.filter(pk=text).first()
        except Exception:  # noqa: BLE001  not a UUID: Django raises its own ValidationError
            brand = None
    if brand is None:
        known = ", ".join(known_brands.values_list("slug", flat=True)[:20])
        raise InvalidRequest(f"There is no brand {text!r}. Known: {known or 'none'}.", {"brand": ["Unknown brand."]})
    return brand


def read_parameters(text: str, pairs: list[str]) -> dict[str, Any]:
    """--params, overridden by each --param."""
    try:
        parameters = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"--params is not JSON: {error}.") from error
    if not isinstance(parameters, dict):
        raise InvalidRequest('--params must be a JSON object, like {"name": "value"}.')
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidRequest(f"--param {pair!r} must have the form name=value.")
        parameters[name] = json.loads(value) if value == "null" or _is_json(value) else value
    return parameters


def _is_json(value: str) -> bool:
    """A list, an object or a quoted text. All else is taken as it is: 1e5 and 007 may be names."""
    with contextlib.suppress(ValueError):
        return value.startswith(("[", "{", '"')) and json.loads(value) is not None
    return False
