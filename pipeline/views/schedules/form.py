"""The form of a schedule: when, in words. It makes the cron expression, so nobody has to type one."""

from datetime import datetime, time
from typing import Any

from django import forms

from ... import queries

OFF, TWICE, DAILY, WEEKLY, MONTHLY, FRESH, READY, ONCE, CUSTOM = (
    "off",
    "twice",
    "daily",
    "weekly",
    "monthly",
    "fresh",
    "ready",
    "once",
    "custom",
)
EVERY = [
    (OFF, "Off"),
    (TWICE, "Twice a day"),
    (DAILY, "Every day"),
    (WEEKLY, "Every week"),
    (MONTHLY, "Every month"),
    (FRESH, "Keep fresh within…"),
    (READY, "Ready by…"),
    (ONCE, "Once at…"),
    (CUSTOM, "Custom"),
]
DAYS = [("*", "Every day"), ("1-5", "Monday to Friday")]
NEEDED = {FRESH: ("hours", "Enter the hours."), ONCE: ("date", "Choose the day.")}
SIX = time(6)


class ScheduleForm(forms.Form):
    """`expression` is the cadence that was chosen, '' for off."""

    every = forms.ChoiceField(choices=EVERY, initial=DAILY, label="How often", widget=forms.RadioSelect)
    at = forms.TimeField(required=False, initial=SIX, label="At", widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    weekday = forms.ChoiceField(
        required=False,
        initial="1",
        label="Day of the week",
        help_text="For every week.",
        choices=[(str(number % 7), queries.WEEKDAYS[number % 7]) for number in range(1, 8)],
    )
    day = forms.IntegerField(
        required=False, initial=1, min_value=1, max_value=28, label="Day of the month", help_text="For every month, 1 to 28."
    )
    hours = forms.IntegerField(
        required=False, initial=72, min_value=1, max_value=2160, label="Hours", help_text="To keep it fresh: its greatest age."
    )
    days = forms.ChoiceField(required=False, initial="1-5", label="Days", help_text="For ready by.", choices=DAYS)
    date = forms.DateField(
        required=False, label="Date", help_text="For once.", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    cron = forms.CharField(
        required=False,
        max_length=100,
        label="Cron expression",
        help_text="For custom: five fields, such as 0 6 * * 1-5 for 06:00 on weekdays.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    @classmethod
    def values_of(cls, expression: str) -> dict[str, Any]:
        """The fields' values that make this expression."""
        kind, _, rest = expression.partition(" ")
        if kind == "fresh":
            return {"every": FRESH, "hours": int(rest.removesuffix("h"))}
        if kind == "once":
            local = datetime.fromisoformat(rest)
            return {"every": ONCE, "date": local.date(), "at": local.time()}
        if kind == "ready":
            minute, hour, *days = rest.split()
            plain = minute.isdecimal() and hour.isdecimal() and days in (["*", "*", "*"], ["*", "*", "1-5"])
            if plain:
                return {"every": READY, "at": time(int(hour), int(minute)), "days": days[2]}
            return {"every": CUSTOM, "cron": expression}
        fields = queries.plain_cron(expression)
        if fields is None:
            minute, hour, *days = expression.split()
            first, _, second = hour.partition(",")
            twice = minute.isdecimal() and first.isdecimal() and second == str(int(first) + 12) and days == ["*"] * 3
            if twice:
                return {"every": TWICE, "at": time(int(first), int(minute)), "cron": expression}
            return {"every": CUSTOM, "cron": expression}
        minute, hour, day, weekday = fields
        values: dict[str, Any] = {"at": time(int(hour), int(minute)), "every": DAILY, "cron": expression}
        if weekday != "*":
            values |= {"every": WEEKLY, "weekday": str(int(weekday) % 7)}
        elif day != "*":
            values |= {"every": MONTHLY, "day": int(day)} if int(day) <= 28 else {"every": CUSTOM}
        return values

    def clean_cron(self) -> str:
        text = " ".join(self.cleaned_data["cron"].split())
        if self.data.get("every") == CUSTOM and (wrong := queries.wrong_cron(text)):
            raise forms.ValidationError(wrong)
        return text

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        name, words = NEEDED.get(values.get("every", ""), ("", ""))
        if name and name not in self.errors and not values.get(name):
            self.add_error(name, words)
        if values.get("every") == TWICE and (values.get("at") or SIX) >= time(12):
            self.add_error("at", "Choose the first of the two times, before 12:00. The second one is 12 hours later.")
        return values

    @property
    def expression(self) -> str:
        """Of a valid form."""
        values = self.cleaned_data
        at = values["at"] or SIX
        return {
            OFF: "",
            TWICE: f"{at.minute} {at.hour},{at.hour + 12} * * *",
            DAILY: f"{at.minute} {at.hour} * * *",
            WEEKLY: f"{at.minute} {at.hour} * * {values['weekday'] or 1}",
            MONTHLY: f"{at.minute} {at.hour} {values['day'] or 1} * *",
            FRESH: f"fresh {values['hours']}h",
            READY: f"ready {at.minute} {at.hour} * * {values['days'] or '1-5'}",
            ONCE: f"once {values['date']}T{at.isoformat('minutes')}",
            CUSTOM: values["cron"],
        }[values["every"]]


class RuleForm(ScheduleForm):
    """A schedule of many subjects, in a row of a table."""

    every = forms.ChoiceField(
        choices=[(OFF, "On demand"), *EVERY[1:-1], (CUSTOM, "Custom…")],
        required=False,
        initial=OFF,
        label="When",
        widget=forms.Select(attrs={"class": "control--s"}),
    )
    enabled = forms.BooleanField(
        required=False, label="On", widget=forms.CheckboxInput(attrs={"class": "switch", "role": "switch"})
    )
    which = forms.ChoiceField(
        required=False, label="For", initial="all", choices=[("all", "All, new ones included"), ("chosen", "The chosen ones")]
    )
    subjects = forms.MultipleChoiceField(
        required=False, label="Chosen", widget=forms.SelectMultiple(attrs={"size": 6}), help_text="For the chosen ones."
    )
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        label="Time zone",
        help_text="Like Europe/Berlin. Empty: the usual one.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    max_runs = forms.IntegerField(
        required=False, min_value=1, max_value=1_000_000, label="Stop after", help_text="Runs of each one. Empty: never."
    )
    field_order = ("every",)

    def clean_every(self) -> str:
        return self.cleaned_data["every"] or OFF

    @property
    def values(self) -> dict[str, Any]:
        """What api.save_rule takes, of a valid form."""
        values = self.cleaned_data
        return {
            "cadence": self.expression,
            "enabled": bool(values["enabled"] and self.expression),
            "every_subject": values["which"] != "chosen",
            "subjects": values["subjects"] if values["which"] == "chosen" else [],
            "time_zone": values["time_zone"],
            "max_runs": values["max_runs"],
        }
