import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured

from pipeline.contract.errors import InvalidRequest
from pipeline.contract.job_type import Done, JobType, Subject
from pipeline.contract.parameters import ParameterForm, clean_parameters
from pipeline.contract.registry import get_type, job_type


class Form(ParameterForm):
    pass


class Work(JobType):
    Params = Form

    def run(self, ctx, params):
        return Done()


def test_two_types_with_one_name_are_refused_at_start():
    with pytest.raises(ImproperlyConfigured, match="Two job types are called 'toy'"):
        job_type("toy", label="x", emoji="x", datasets={})(Work)


@pytest.mark.parametrize(
    "broken", [type("NoRun", (JobType,), {"Params": Form}), type("NoParams", (JobType,), {"run": lambda *a: None})]
)
def test_a_type_that_lacks_its_parts_is_refused_at_start(broken):
    with pytest.raises(ImproperlyConfigured, match="needs a Params form and a run"):
        job_type("broken", label="x", emoji="x", datasets={})(broken)


def test_a_class_that_is_no_job_type_is_refused_at_start():
    with pytest.raises(ImproperlyConfigured, match="is not a JobType"):
        job_type("broken", label="x", emoji="x", datasets={})(object)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InvalidRequest, match="There is no job type 'nothing'. Known: .*toy"):
        get_type("nothing")


class Parameters(ParameterForm):
    amount = forms.IntegerField(initial=3, min_value=1)
    wanted = forms.BooleanField(initial=True, required=False)
    id = forms.UUIDField()


ID = "5a2d8a54-0000-4000-8000-000000000000"


def test_missing_parameters_take_their_defaults():
    assert clean_parameters(Parameters, {"id": ID}, None) == {"amount": 3, "wanted": True, "id": ID}


def test_false_is_not_the_same_as_absent():
    assert clean_parameters(Parameters, {"id": ID, "wanted": False}, None)["wanted"] is False


def test_all_errors_are_reported_at_once_by_parameter():
    with pytest.raises(InvalidRequest) as refused:
        clean_parameters(Parameters, {"id": "x", "amount": 0, "amout": 1}, None)
    assert set(refused.value.errors) == {"id", "amount", "amout"}


@pytest.mark.parametrize("name", ["key", "about"])
@pytest.mark.parametrize("value", ["x" * 181, "a\0b"])
def test_a_subject_whose_key_could_become_anothers_is_refused(name, value):
    with pytest.raises(InvalidRequest, match="cannot be stored as a key"):
        Subject(**{name: value})
    assert Subject(**{name: "x" * 180})
