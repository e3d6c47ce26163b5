"""Parameters mean what they say, from the command line, a program or a stored schedule alike."""

import pytest
from django import forms

from pipeline.contract import InvalidRequest, ParameterForm
from pipeline.contract.parameters import clean_parameters


class Params(ParameterForm):
    name = forms.CharField(initial="owl", required=False)
    deep = forms.BooleanField(initial=True, required=False)


@pytest.mark.parametrize("value", ["no", "off", "false", "0", "No", " OFF ", 0, False], ids=repr)
def test_every_no_is_a_no(value):
    assert clean_parameters(Params, {"deep": value}, None)["deep"] is False


@pytest.mark.parametrize("value", ["yes", "on", "true", "1", "Yes", 1, True], ids=repr)
def test_every_yes_is_a_yes(value):
    assert clean_parameters(Params, {"deep": value}, None)["deep"] is True


@pytest.mark.parametrize("value", ["", "nein", "2", "none", "nope", None, 2, 0.5, [], {}, ["no"]], ids=repr)
def test_what_is_neither_is_refused(value):
    with pytest.raises(InvalidRequest, match="is neither yes nor no") as refused:
        clean_parameters(Params, {"deep": value}, None)
    assert list(refused.value.errors) == ["deep"]


def test_an_option_that_is_not_given_keeps_its_default():
    assert clean_parameters(Params, {}, None) == {"name": "owl", "deep": True}


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_a_list_or_object_is_not_a_text(value):
    with pytest.raises(InvalidRequest, match="is not a text"):
        clean_parameters(Params, {"name": value}, None)
