"""The form of a research: all that is asked of Reddit, and what is kept of it."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html

from competitors.models import BrandSubreddit, Persona, RedditResearch, reddit_subject
from competitors.reading.subreddit import read_subreddit, read_subreddits
from pipeline.contract import get_type
from pipeline.models import Brand

from ...fields import MOST_SUBREDDITS, ListField
from ...job import NAME

PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class PercentField(forms.FloatField):
    """A share from 0 to 1, typed as per cent."""

    def prepare_value(self, value: Any) -> Any:
        return f"{100 * value:.4g}" if isinstance(value, float) else value

    def clean(self, value: Any) -> Any:
        percent = super().clean(value)
        return None if percent is None else round(percent / 100, 4)


class SubredditsField(forms.MultipleChoiceField):
    """Names that were ticked. Names that nobody offered are taken too: a person added them without a script."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: str) -> bool:
        return True

    def clean(self, value: Any) -> Any:
        try:
            names = [read_subreddit(name) for name in super().clean(value)]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return list({name.casefold(): name for name in names}.values())


class ResearchForm(forms.ModelForm):
    """A research of one brand. What is typed beside *Add* counts as ticked, whichever button is pressed."""

    search_queries = ListField(label="Queries, one a line", widget=forms.Textarea(attrs={"rows": 4}))
    subreddits = SubredditsField(
        required=False,
        help_text="Untick one to leave it out. None ticked means all of Reddit, which finds more that is off topic.",
    )
    add = forms.CharField(
        required=False,
        max_length=1000,
        label="Add subreddits",
        widget=forms.TextInput(attrs=PLAIN | {"placeholder": "r/…"}),
    )
    top_percentile = PercentField(
        label="Keep the best (%)", min_value=1, max_value=100, help_text="Of the relevant posts, by signal.", initial=0.2
    )

    class Meta:
        model = RedditResearch
        fields = RedditResearch.SETTINGS
        labels = {
            "timeframe": "Posts of",
            "max_posts": "Max posts",
            "min_upvotes": "Min upvotes",
            "min_comments": "Min comments",
            "relevance_threshold": "Min relevance",
            "signal_threshold": "Min signal",
            "persona_context": "About the persona",
            "auto_sync_to_persona": "Copy new quotes to the persona",
            "stop_at_usd": "Stop at (USD)",
        }
        help_texts = {
            "topic_context": "One sentence. Posts are scored against it.",
            "max_posts": "In all, divided among the queries.",
            "relevance_threshold": "From 0 to 1.",
            "signal_threshold": "From 0 to 1.",
            "persona_context": "Scored together with the topic.",
            "stop_at_usd": "A run that reaches it ends with what it has.",
        }
        widgets = {
            "topic_context": forms.TextInput(attrs={"autocomplete": "off"}),
            "persona_context": forms.TextInput(attrs={"autocomplete": "off"}),
            "relevance_threshold": forms.NumberInput(attrs={"step": "0.01"}),
            "signal_threshold": forms.NumberInput(attrs={"step": "0.01"}),
        }

    def __init__(self, data: QueryDict | None = None, *, brand: Brand, **kwargs: Any):
        self._wrong_name = ""
        super().__init__(self._with_added(data), **kwargs)
        self.instance.brand = brand
        personas = self.fields["persona"]
        personas.queryset = Persona.objects.filter(brand=brand)  # type: ignore[attr-defined]
        personas.empty_label = "None"  # type: ignore[attr-defined]
        self.fields["subreddits"].choices = [(name, f"r/{name}") for name in self._offered(brand)]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = RedditResearch.objects.filter(brand=self.instance.brand, name__iexact=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(f"There already is a research called {name}. Choose another name.")
        return name

    def clean_add(self) -> str:
        if self._wrong_name:
            raise forms.ValidationError(self._wrong_name)
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("search_queries") and "subreddits" in cleaned:
            self._refuse_a_second(reddit_subject(cleaned["search_queries"], cleaned["subreddits"]))
        return cleaned

    def full_clean(self) -> None:
        """What the job type would refuse is refused here, beside its field."""
        super().full_clean()
        if not self.is_bound or self.errors.keys() - {"name"}:
            return
        asked = get_type(NAME).Params(self.instance.parameters(), brand=self.instance.brand)
        for name, wrong in asked.errors.items():
            field = "persona" if name in ("persona_id", "auto_sync_to_persona") else name
            self.add_error(field if field in self.fields else None, list(wrong))

    @property
    def asked(self) -> dict[str, Any] | None:
        """The parameters of a scrape with what the form shows; None while that is wrong."""
        return None if self.is_bound and self.errors else self.instance.parameters()

    def forgive(self, *names: str) -> None:
        """Leave out what is wrong with these fields: it does not matter yet."""
        for name in names:
            self.errors.pop(name, None)

    def _refuse_a_second(self, subject: str) -> None:
        same = RedditResearch.objects.filter(brand=self.instance.brand, subject=subject).exclude(pk=self.instance.pk).first()
        if same:
            words = (
                'The research <a href="{}"><bdi>{}</bdi></a> asks for the same queries and subreddits. Change them, or edit it.'
            )
            address = reverse("reddit_edit", args=[self.instance.brand.slug, same.pk])
            self.add_error("search_queries", format_html(words, address, same.name))

    def _with_added(self, data: QueryDict | None) -> QueryDict | None:
        """What was sent, with the names that were typed beside *Add* ticked. A wrong one stays where it was typed."""
        if data is None or not data.get("add"):
            return data
        sent = data.copy()
        try:
            names = read_subreddits(str(sent["add"]))[:MOST_SUBREDDITS]
        except ValueError as error:
            self._wrong_name = str(error)
            return sent
        sent.setlist("subreddits", [*sent.getlist("subreddits"), *names])
        sent["add"] = ""
        return sent

    def _offered(self, brand: Brand) -> list[str]:
        """The brand's subreddits, those of its researches, and what was sent or is prefilled."""
        known = [*BrandSubreddit.objects.filter(brand=brand).values_list("name", flat=True)]
        for asked in RedditResearch.objects.filter(brand=brand).values_list("subreddits", flat=True):
            known += asked
        here = self.data.getlist("subreddits") if isinstance(self.data, QueryDict) else self.instance.subreddits
        found = {name.casefold(): name for name in [*known, *here]}
        return sorted(found.values(), key=str.casefold)
