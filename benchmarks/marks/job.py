"""The work as job types of ours."""

import time
from datetime import timedelta
from typing import Any

from django import forms

from pipeline.contract.job_type import Done, JobType, Subject
from pipeline.contract.parameters import ParameterForm
from pipeline.contract.registry import job_type

from .notes import note


@job_type("mark", label="Mark", emoji="⏱", datasets={})
class Mark(JobType):
    class Params(ParameterForm):
        name = forms.CharField()

    def subject(self, brand: Any, params: dict[str, Any]) -> Subject:
        return Subject(params["name"])

    def run(self, ctx: Any, params: dict[str, Any]) -> Done:
        note(params["name"])
        return Done()


@job_type("doze", label="Doze", emoji="💤", datasets={})
class Doze(JobType):
    class Params(ParameterForm):
        name = forms.CharField()
        sleeps = forms.FloatField(initial=0)
        works = forms.FloatField(initial=0)

    def subject(self, brand: Any, params: dict[str, Any]) -> Subject:
        return Subject(params["name"])

    def run(self, ctx: Any, params: dict[str, Any]) -> Done:
        if params["sleeps"]:
            ctx.sleep(timedelta(seconds=params["sleeps"]))
        note(params["name"])
        end = time.monotonic() + params["works"]
        while time.monotonic() < end:
            ctx.check()
            time.sleep(0.02)
        return Done()


@job_type("load", label="Load", emoji="🧱", datasets={})
class Load(Mark):
    """Rows that only lie there, of a type of their own."""
