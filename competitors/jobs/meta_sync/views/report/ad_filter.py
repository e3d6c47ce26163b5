"""What the address of Ad Performance asks for: which days, which of the account's ads, in which order."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict

from competitors.models import AdAccount
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, WordsField
from pipeline.words.search import folded

from ...figures.ads import AdRow
from ...figures.window import Window, today_of

USUAL_DAYS, MOST_DAYS, PAGE_SIZE = 14, 366, 25
Key = Callable[[AdRow], Any]
SORTS: dict[str, tuple[str, Key]] = {  # by column; what is not known comes last in both directions
    "ad": ("Ad", lambda row: folded(row.name)),
    "status": ("Status", lambda row: row.state.word),
    "spend": ("Spend", lambda row: row.now.spend),
    "impressions": ("Impressions", lambda row: row.now.impressions),
    "roas": ("ROAS", lambda row: row.now.roas),
    "ctr": ("CTR", lambda row: row.now.ctr),
    "cpc": ("CPC", lambda row: row.now.cpc),
    "cpm": ("CPM", lambda row: row.now.cpm),
    "hook": ("Hook rate", lambda row: row.now.hook),
    "hold": ("Hold rate", lambda row: row.now.hold),
}


class Day(forms.DateField):
    def __init__(self, label: str):
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        wrong = {"invalid": "It is not a day such as 2026-05-04."}
        super().__init__(required=False, label=label, widget=widget, input_formats=["%Y-%m-%d"], error_messages=wrong)


class WindowForm(forms.Form):
    """Bound to the address's query string."""

    since = Day("From")
    until = Day("To")
    account = forms.ChoiceField(required=False, label="Ad account", widget=forms.HiddenInput, error_messages=WRONG_CHOICE)
    sort = forms.ChoiceField(
        required=False,
        choices=[(sign + name, name) for name in SORTS for sign in ("", "-")],
        widget=forms.HiddenInput,
        error_messages=WRONG_CHOICE,
    )


class AdFilterForm(WindowForm):
    ads = forms.ChoiceField(
        required=False,
        label="Ads",
        choices=[("", "With spend"), ("active", "Active and delivered"), ("all", "All with figures")],
        error_messages=WRONG_CHOICE,
    )
    least = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=12,
        label="Min spend",
        widget=forms.NumberInput(attrs={"min": "0", "step": "any"}),
        error_messages={"invalid": "It is not a number."},
    )
    q = WordsField(label="Words in the ad's name")
    compare = forms.ChoiceField(
        required=False, label="Compare with", choices=[("", "The days before"), ("no", "Nothing")], error_messages=WRONG_CHOICE
    )


class WindowFilter(ListFilter):
    """The days only."""

    form_class = WindowForm
    labels: ClassVar = {}
    usual_sort = "-spend"

    def __init__(self, accounts: Sequence[AdAccount], account: AdAccount, query: QueryDict):
        self.accounts = accounts
        super().__init__(query)
        self.today = today_of(account)
        self.window = self._window(self._found.get("since"), self._found.get("until"))
        self.form.initial.update(since=self.window.since, until=self.window.until)

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        form = super().build_form(data, auto_id="filter_%s", **options)
        form.fields["account"].choices = [(one.account_id, str(one)) for one in self.accounts]  # type: ignore[attr-defined]
        return form

    def _label(self, name: str) -> str:
        return str(self.form_class.base_fields[name].label or "Order")

    def _window(self, since: date | None, until: date | None) -> Window:
        until = until or self.today
        if until > self.today:
            self.warnings.append("To: It is after today in the account's time zone. It was ignored.")
            until = self.today
        since = since or Window.of_days(until, USUAL_DAYS).since
        if since > until:
            self.warnings.append("From: It is after the last day. It was ignored.")
            return Window.of_days(until, USUAL_DAYS)
        if Window(since, until).length > MOST_DAYS:
            self.warnings.append(f"From: At most {MOST_DAYS} days are shown.")
            return Window.of_days(until, MOST_DAYS)
        return Window(since, until)


class AdFilter(WindowFilter):
    form_class = AdFilterForm
    labels: ClassVar = {"ads": "Ads", "least": "Min spend", "q": "Words"}

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        form = super().build_form(data, **options)
        currencies = {one.account_id: one.currency for one in self.accounts}
        currency = currencies.get((self.chosen if data is None else data).get("account", ""), next(iter(currencies.values()), ""))
        form.fields["least"].label = f"Min spend, {currency}" if currency else "Min spend"
        return form

    @property
    def compares(self) -> bool:
        return self.chosen["compare"] != "no"

    def matching(self, rows: Sequence[AdRow]) -> list[AdRow]:
        """Those of the rows that were asked for, in the order that was asked for."""
        by, descending = SORTS[self.chosen["sort"].lstrip("-")][1], self.chosen["sort"].startswith("-")
        found = sorted((row for row in rows if self._matches(row)), key=lambda row: row.ad_id)
        pairs = [(by(row), row) for row in found]
        known = sorted((pair for pair in pairs if pair[0] is not None), key=itemgetter(0), reverse=descending)
        return [row for _, row in known] + [row for value, row in pairs if value is None]

    def _matches(self, row: AdRow) -> bool:
        if self.chosen["ads"] == "active" and not row.active:
            return False
        if not self.chosen["ads"] and not row.now.spend:
            return False
        least = self._found.get("least")
        if least and (row.now.spend or Decimal(0)) < least:
            return False
        if not self.words:
            return True
        name = folded(row.name)
        return all(word in name for word in self.words)
