"""A job type for tests of the engine: free, without an upstream."""

import os
import signal
import time
from datetime import timedelta
from typing import Any

from django import forms
from django.db import OperationalError, connection

from pipeline.contract.errors import BlockedError, CredentialRejected, PermanentError, TransientError, UpstreamDown
from pipeline.contract.job_type import Done, JobType, Subject
from pipeline.contract.parameters import ParameterForm
from pipeline.contract.registry import job_type

HANGS = "It hangs from here on."
SHELVES = {"shelves": "Shelves", "dolls": "Dolls", "trains": "Trains"}


@job_type(
    "toy",
    label="Toy",
    emoji="🧸",
    datasets={"toys": "Toys"},
    max_runtime=timedelta(seconds=float(os.environ.get("TOY_MAX_RUNTIME", "60"))),
)
class Toy(JobType):
    """Does what its parameters say."""

    class Params(ParameterForm):
        name = forms.CharField(initial="bear", max_length=50)
        ends = forms.ChoiceField(
            choices=[(x, x) for x in ("ok", "partial", "transient", "permanent", "blocked", "bug", "unbooked", "no_column")],
            initial="ok",
        )
        sleeps = forms.FloatField(initial=0, min_value=0, help_text="Seconds that the run waits without a worker.")
        works = forms.FloatField(initial=0, min_value=0, help_text="Seconds that the run keeps its worker busy.")
        lingers = forms.FloatField(initial=0, required=False, help_text="More such seconds in its first try.")

        hangs = forms.BooleanField(initial=False, required=False, help_text="Never checks whether it should stop.")
        tells = forms.BooleanField(initial=False, required=False, help_text="Logs the time of its host's clock.")
        naps = forms.FloatField(initial=0, required=False, help_text="Seconds without a check whether it should stop.")
        asks = forms.FloatField(initial=0, required=False, help_text="Seconds that a query of its first try takes.")
        inside = forms.BooleanField(initial=False, required=False, help_text="Its first try hangs inside a transaction.")
        stops = forms.BooleanField(initial=False, required=False, help_text="Its first try suspends itself in a transaction.")

    def subject(self, brand: Any, params: dict[str, Any]) -> Subject:
        return Subject(params["name"], f"toy {params['name']}")

    def on_completed(self, run: Any, fetched_at: Any) -> None:
        if run.parameters["ends"] == "unbooked":
            raise ValueError("a bug in the toy's books")

    def run(self, ctx: Any, params: dict[str, Any]) -> Done:
        ctx.step("unpack", lambda: {"name": params["name"]})
        if params["sleeps"]:
            ctx.sleep(timedelta(seconds=params["sleeps"]))
        if params["stops"] and ctx.run.attempts.count() == 1:
            with ctx.fenced():
                os.kill(os.getpid(), signal.SIGSTOP)
        end = time.monotonic() + params["works"]
        if params["lingers"] and ctx.run.attempts.count() == 1:
            end += params["lingers"]
        while time.monotonic() < end:
            ctx.check()
            if ctx.cancelled:
                ctx.step("put away", lambda: None)  # a cancel takes effect here
            time.sleep(0.01)
        time.sleep(params["naps"])
        ctx.check()
        if params["asks"] and ctx.run.attempts.count() == 1:
            with ctx.fenced(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [params["asks"]])
        if params["tells"]:
            ctx.log(f"By this host's clock it is {time.time():.0f}.")
        if params["hangs"]:
            ctx.log(HANGS)
        while params["hangs"]:
            time.sleep(0.05)
        if params["inside"] and ctx.run.attempts.count() == 1:
            with ctx.fenced():
                time.sleep(3600)
        match params["ends"]:
            case "transient":
                raise TransientError("The toy shop was closed.")
            case "permanent":
                raise PermanentError("There is no such toy.")
            case "blocked":
                raise BlockedError("The toy shop is full.", seconds=60)
            case "no_column":
                raise OperationalError("no such column: toys.bear")
            case "bug":
                raise ValueError("a bug in the toy")
        return Done(
            {"new": 1},
            records=1,
            summary="1 toy.",
            verdict="partial" if params["ends"] == "partial" else "ok",
            reason="Half of it is missing." if params["ends"] == "partial" else "",
        )


@job_type("marble", label="Marble", emoji="🔮", datasets={})
class Marble(Toy):
    """A second type, for what one type must not do to another. Nothing hangs on its end: it has no data, and no hook."""

    on_completed = JobType.on_completed


@job_type("shelf", label="Shelf", emoji="🪆", datasets=SHELVES, own_clocks=["dolls", "trains"])
class Shelf(JobType):
    """Parts with clocks of their own. `parts` is a list of [dataset, subject, how it ends, whether that is fatal]."""

    class Params(ParameterForm):
        parts = forms.JSONField(initial=[], required=False)
        ends = forms.CharField(initial="ok", required=False)

    def subjects_of(self, brands: Any) -> Any:
        return iter(())

    def run(self, ctx: Any, params: dict[str, Any]) -> Done:
        for key, subject, ends, fatal in params["parts"] or []:
            with ctx.dataset(key, subject, fatal=fatal) as clock:
                if not clock.done:
                    part(ctx, clock, ends)
        if params["ends"] != "ok":
            raise PermanentError("The shelf fell down.")
        doubted = any(ends == "partial" for _, _, ends, _ in params["parts"] or [])
        return Done({"new": 1}, records=7, summary="1 shelf.", verdict="partial" if doubted else "ok")


def part(ctx: Any, clock: Any, ends: str) -> None:
    """Once per run, unless it fails: its log counts how often."""
    ctx.log(f"Part: {ends}")
    match ends:
        case "transient":
            raise TransientError("The shop was closed.")
        case "rejected":
            raise CredentialRejected("The shop does not know us.", "toys")
        case "down":
            raise UpstreamDown("The shop does not answer.", "toys")
        case "blocked":
            raise BlockedError("The shop is full.")
        case "bug":
            raise ValueError("a bug in the part")
        case "waits":
            ctx.sleep(timedelta(hours=1))
        case "partial":
            clock.doubt = "Half of it is missing."
    clock.records = 3
