"""Forms that add or edit a brand or a competitor."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipeline.models import Brand

from ..models import Competitor
from ..reading.subreddit import read_subreddits
from ..steps import settings

F = TypeVar("F", bound=forms.ModelForm)


class BrandForm(forms.ModelForm):
    """A brand needs only a name; its address on this site is made from it. The model checks the name."""

    class Meta:
        model = Brand
        fields = ["name"]
        labels = {"name": "Brand name"}


class BrandEditForm(BrandForm):
    """Its address on this site stays, so that links to it do."""

    class Meta(BrandForm.Meta):
        fields = ["name", "time_zone"]
        help_texts = {"time_zone": "Of its schedules, like America/Los_Angeles. Empty: the site's time zone."}
        widgets = {"time_zone": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})}


class SubredditsForm(forms.Form):
    """Subreddits that a brand's researches are to choose from."""

    subreddits = forms.CharField(
        label="Add subreddits",
        max_length=2000,
        help_text="With or without r/, several with commas between them.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "r/…"}),
    )

    def clean_subreddits(self) -> list[str]:
        try:
            return read_subreddits(self.cleaned_data["subreddits"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class CompetitorForm(forms.ModelForm):
    """A competitor of the brand that the form was made for."""

    class Meta:
        model = Competitor
        fields = ["name"]
        labels = {"name": "Competitor name"}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.brand = brand


def subject_form(request: HttpRequest, template: str, form: forms.BaseForm, owner: Competitor, **context: Any) -> HttpResponse:
    """The page that adds or edits a subject of a competitor. `template` extends competitors/subject_form.html, which says what
    it needs."""
    context |= {"competitor": owner, "brand": owner.brand, "form": form}
    return render(request, template, context, status=422 if form.errors else 200)


def new_subject_form(request: HttpRequest, form_class: Callable[..., F], owner: Competitor) -> F:
    """The form that adds one. It refuses a competitor that is archived."""
    form = form_class(request.POST or None, competitor=owner)
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    return form


def saved(form: forms.ModelForm, field: str = "name", what: str = "name", *, by: Any = None) -> bool:
    """Save a valid form. False, with the field's error set, if somebody else added the same just before.

    `by`: who changes the settings of something that is scraped.
    """
    try:
        with transaction.atomic():
            if by:
                settings.save(form.instance, by)
            else:
                form.save()
    except IntegrityError:
        form.add_error(field, f"Somebody added this {what} just now.")
        return False
    return True
