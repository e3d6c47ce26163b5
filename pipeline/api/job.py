"""Replays on a worker: unpacking and landing many pages must not occupy the web server."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from ..contract.context import Context
from ..contract.errors import NotAllowed, PermanentError
from ..contract.job_type import Done, JobType, Subject
from ..contract.parameters import ParameterForm
from ..contract.registry import job_type
from ..engine.execution.replay import REPLAY, check_replayable, replay
from ..engine.journal import record_event
from ..models import Brand, Run
from .enqueue import Queued, queue_one_time_job


@job_type(REPLAY, label="Replay", emoji="♻️", datasets={}, permission="pipeline.replay_run")
class Replay(JobType):
    """Re-imports the downloaded data of another run. Its own run has the result; that other run's log says so too."""

    class Params(ParameterForm):
        run = forms.IntegerField(min_value=1, max_value=2**63 - 1, label="Run", help_text="The number of the run to re-import.")

        def clean_run(self) -> int:
            number: int = self.cleaned_data["run"]
            if not Run.objects.filter(pk=number, brand=self.brand).exists():
                raise forms.ValidationError(f"There is no run {number} of this brand.")
            return number

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        return Subject(str(params["run"]), f"Replay of run {params['run']}", reverse("run", args=[params["run"]]))

    def subjects_of(self, brands: Iterable[Brand | None]) -> Iterator[tuple[UUID | None, Subject]]:
        return iter(())

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        run = Run.objects.select_related("brand", "job").get(pk=params["run"])
        try:
            result = replay(run, ctx.run.created_by)
        except NotAllowed as error:
            raise PermanentError(str(error)) from error
        pages = f"{result.pages} downloaded page{'' if result.pages == 1 else 's'}"
        summary = f"Re-imported {pages} of run {run.pk}, free: {result.done.summary}"
        return Done(counts=result.done.counts, records=result.done.records, summary=summary)


def queue_replay(run: Run, by: Any) -> Queued:
    """Let a worker replay the run. NotAllowed if that is refused already now. A second click gets the run of the first."""
    check_replayable(run, by)
    queued = queue_one_time_job(run.brand_id, REPLAY, {"run": run.pk}, max_retries=0, created_by=by)
    if queued.created:
        record_event("replay_queued", f"A replay of run {run.pk} was queued by {by}: run {queued.run.pk}.", run=run, by=by)
    return queued
