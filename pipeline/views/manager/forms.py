"""What people set on the tab Active: limits and pauses, each field checked."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from ...contract.registry import internal_names, label_of
from ...contract.source import known_sources, known_upstreams
from ...models import Brand, ConcurrencyLimit, Pause
from ...people import brands_for
from ...queries import type_choices

MOST_RUNNING = 10_000
MOST_MEMORY_MB = 100_000_000
LONGEST_PAUSE = timedelta(days=366)


class ActiveFilter(forms.Form):
    job_type = forms.ChoiceField(required=False, label="Type", widget=forms.Select(attrs={"class": "control--s auto"}))

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["job_type"].choices = [("", "All types"), *type_choices()]  # type: ignore[attr-defined]


class LimitForm(forms.ModelForm):
    """A limit that exists: its scope stays."""

    class Meta:
        model = ConcurrencyLimit
        fields = ("max_running", "max_memory_mb")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["max_running"] = forms.IntegerField(
            label="At once", min_value=0, max_value=MOST_RUNNING, help_text="0: nothing starts."
        )
        if "max_memory_mb" in self.fields and self.instance.source:
            self.fields["max_memory_mb"] = forms.IntegerField(
                label="Memory, MB", required=False, min_value=1, max_value=MOST_MEMORY_MB
            )
        else:
            self.fields.pop("max_memory_mb", None)


class ScopeForm(forms.ModelForm):
    """Which runs: of a type, of a brand, of both, of an upstream account, or all.

    Chosen from lists: a mistyped one would stop nothing.
    """

    taken = ""  # what to say where the scope has one already

    def __init__(self, *args: Any, user: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        brands = brands_for(user)
        open_brands: QuerySet[Brand] = brands.rows().filter(archived_at=None).order_by("name")
        others = " and ".join(label_of(name) for name in internal_names())
        self.fields["job_type"] = forms.ChoiceField(
            label="Type",
            required=False,
            choices=[("", "Every type"), *type_choices()],
            help_text=f"Every type but {others}: these go on unless they are chosen." if others else "",
        )
        # Not a select: three hundred options in each form would be most of the page's time.
        self.fields["brand"] = forms.ModelChoiceField(
            open_brands,
            required=not brands.every,
            to_field_name="slug",
            widget=forms.TextInput(attrs={"list": "brands", "autocomplete": "off"}),
            help_text="Type, and choose from the list." + (" Empty: every brand." if brands.every else ""),
            error_messages={"invalid_choice": "There is no such brand. Choose one from the list."},
        )
        sources = known_upstreams() if self._meta.model is Pause else known_sources()
        self.fields["source"] = forms.ChoiceField(
            label="Or an account",
            required=False,
            choices=[("", "None"), *((one.name, one.label) for one in sources)],
            help_text="All of its runs.",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        scope = {name: cleaned.get(name) or "" for name in ("job_type", "source")}
        brand = cleaned.get("brand")
        if scope["source"] and (scope["job_type"] or brand):
            self.add_error("source", "This counts for all of the account's runs. Choose no type and no brand with it.")
        elif not self.errors and self._there(scope, brand):
            self.add_error("source" if scope["source"] else "job_type", self.taken)
        return cleaned

    def _there(self, scope: dict[str, str], brand: Brand | None) -> bool:
        found: bool = self._meta.model.objects.filter(**scope, brand=brand).exists()
        return found


class NewLimitForm(ScopeForm, LimitForm):
    taken = "These runs have a limit already. Change that one, or choose others."

    class Meta:
        model = ConcurrencyLimit
        fields = ("job_type", "brand", "source", "max_running")


class PauseForm(ScopeForm):
    taken = "These runs are paused already. End that pause, or choose others."
    reason = forms.CharField(max_length=300, help_text="Shown wherever a run waits for the end of the pause.")
    until = forms.DateTimeField(
        required=False,
        help_text="It ends by itself then. Empty: when somebody ends it.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    class Meta:
        model = Pause
        fields = ("job_type", "brand", "source", "reason", "until")

    def _there(self, scope: dict[str, str], brand: Brand | None) -> bool:
        return Pause.objects.lasting(timezone.now()).filter(**scope, brand=brand).exists()

    def clean_until(self) -> Any:
        until, now = self.cleaned_data["until"], timezone.now()
        if until and not now < until < now + LONGEST_PAUSE:
            raise forms.ValidationError("Choose a time in the future, at most a year from now, or none.")
        return until
