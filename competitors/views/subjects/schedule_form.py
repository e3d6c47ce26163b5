"""The form of a subject's schedule: when, in words. It makes the cron expression, so nobody has to type one."""

from datetime import time
from typing import Any

from django import forms

from pipeline import queries

OFF, DAILY, WEEKLY, MONTHLY, CUSTOM = "off", "daily", "weekly", "monthly", "custom"
EVERY = [(OFF, "Off"), (DAILY, "Every day"), (WEEKLY, "Every week"), (MONTHLY, "Every month"), (CUSTOM, "Custom")]
SIX = time(6)


class ScheduleForm(forms.Form):
    """`expression` is the cron expression that was chosen, '' for off."""

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
        fields = queries.plain_cron(expression)
        if fields is None:
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

    @property
    def expression(self) -> str:
        """Of a valid form."""
        values = self.cleaned_data
        at = values["at"] or SIX
        return {
            OFF: "",
            DAILY: f"{at.minute} {at.hour} * * *",
            WEEKLY: f"{at.minute} {at.hour} * * {values['weekday'] or 1}",
            MONTHLY: f"{at.minute} {at.hour} {values['day'] or 1} * *",
            CUSTOM: values["cron"],
        }[values["every"]]
