"""A job type with subjects, registered only while a test wants it: dogs, by brand."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms

from pipeline.contract import registry
from pipeline.contract.errors import InvalidRequest
from pipeline.contract.job_type import Done, JobType, Subject
from pipeline.contract.parameters import ParameterForm
from pipeline.contract.registry import job_type
from pipeline.models import Brand

NAME = "walk"


class Walk(JobType):
    """`dogs`: by brand, those that there are. A dog called Ghost is refused."""

    dogs: dict[UUID | None, list[str]]

    class Params(ParameterForm):
        dog = forms.CharField(max_length=50)
        miles = forms.IntegerField(initial=1, min_value=1, max_value=9)
        leash = forms.BooleanField(initial=True, required=False)

        def clean_dog(self) -> str:
            if self.cleaned_data["dog"] == "Ghost":
                raise forms.ValidationError("There is no such dog.")
            return str(self.cleaned_data["dog"])

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        if params["dog"] not in self.dogs.get(brand.pk if brand else None, []):
            raise InvalidRequest("There is no such dog.")
        return replace(Subject(params["dog"], params["dog"]), parameters={"dog": params["dog"]})

    def subjects_of(self, brands: Iterable[Brand | None]) -> Iterator[tuple[UUID | None, Subject]]:
        for brand in brands:
            pk = brand.pk if brand else None
            yield from ((pk, Subject(dog, dog, parameters={"dog": dog})) for dog in self.dogs.get(pk, []))

    def run(self, ctx: Any, params: dict[str, Any]) -> Done:
        return Done({"new": 1}, records=1, summary="1 walk.")


def open_kennel(dogs: dict[UUID | None, list[str]]) -> Iterator[Walk]:
    """For a fixture: the type is registered until the test ends."""
    job_type(NAME, label="Walk", emoji="🐕", datasets={"walks": "Walks"})(Walk)
    walk = registry._types[NAME]
    assert isinstance(walk, Walk)
    walk.dogs = dogs
    yield walk
    del registry._types[NAME]
