"""Form fields of a research: lists that people type and programs send, and shares that may be left empty."""

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from competitors.reading.subreddit import read_subreddit
from pipeline.words.foreign import storable

MOST_QUERIES, LONGEST_QUERY = 50, 200
MOST_SUBREDDITS = 50


class ListField(forms.Field):
    """A list of texts, each once: as a JSON list, or typed with a separator between them."""

    widget: type[forms.Widget] = forms.Textarea
    separator = re.compile(r"[\r\n]+")
    most = MOST_QUERIES

    def to_python(self, value: Any) -> list[str]:
        given = self._typed(value) if isinstance(value, str) else value or []
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise ValidationError("Give a list of texts.")
        found: dict[str, str] = {}
        for one in given:
            if text := " ".join(storable(one).split()):
                found.setdefault(self.one(text).casefold(), self.one(text))
        if len(found) > self.most:
            raise ValidationError(f"At most {self.most}.")
        return [*found.values()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def one(self, text: str) -> str:
        if len(text) > LONGEST_QUERY:
            raise ValidationError(f"“{text[:40]}…” is longer than {LONGEST_QUERY} characters.")
        return text

    def _typed(self, text: str) -> Any:
        if text.strip().startswith("["):
            try:
                return json.loads(text)
            except ValueError:
                pass
        return self.separator.split(text)


class SubredditsField(ListField):
    """Names of subreddits, with or without r/."""

    widget = forms.TextInput
    separator = re.compile(r"[\s,]+")
    most = MOST_SUBREDDITS

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def one(self, text: str) -> str:
        try:
            return read_subreddit(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class UsualShare(forms.FloatField):
    """A part of 1 that may be left empty: it is then the usual one."""

    def __init__(self, *, usual: float, least: float, **options: Any):
        super().__init__(initial=usual, min_value=least, max_value=1, required=False, **options)
        self.usual = usual

    def clean(self, value: Any) -> float:
        given: float | None = super().clean(value)
        return self.usual if given is None else given
