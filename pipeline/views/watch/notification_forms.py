"""What managers set of notifications. An address is checked here and again when a message is sent: settings may change."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import validate_email
from django.db.models import Q

from ...contract.errors import PermanentError
from ...jobs.deliver.address import SLACK_HOSTS, find, service_of
from ...models import Brand, NotificationChannel, NotificationRule
from ...people import brands_for

Kind, Event = NotificationChannel.Kind, NotificationRule.Event
SHORTEST_SECRET = 16
MOST_ADDRESSES = 20


class OfBrand(forms.ModelForm):
    """A brand from the list; none is every brand, for who sees all of them."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("kind", "event"):
            if name in self.fields:
                choices: Any = self.fields[name]
                choices.choices = [("", "Choose"), *choices.choices[1:]]
        self.brands = brands_for(user)
        self.fields["brand"] = forms.ModelChoiceField(
            self.brands.rows().filter(archived_at=None).order_by("name"),
            required=not self.brands.every,
            to_field_name="slug",
            widget=forms.TextInput(attrs={"list": "brands", "autocomplete": "off"}),
            help_text="Type, and choose from the list." + (" Empty: every brand." if self.brands.every else ""),
            error_messages={"invalid_choice": "There is no such brand. Choose one from the list."},
        )


class ChannelForm(OfBrand):
    address = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="E-mail addresses, separated by commas; or the address that Slack, the webhook or the service gave you."
        " Only e-mail addresses are shown again.",
    )
    secret = forms.CharField(
        label="Signing secret",
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=f"Only for a webhook: at least {SHORTEST_SECRET} characters that its receiver knows too. Never shown again.",
    )

    class Meta:
        model = NotificationChannel
        fields = ("name", "kind", "address", "secret", "brand")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind, address = cleaned.get("kind"), cleaned.get("address", "").strip()
        if kind and address:
            try:
                self.instance.shown = _checked(kind, address)
            except (forms.ValidationError, PermanentError) as error:
                self.add_error("address", error.messages[0] if isinstance(error, forms.ValidationError) else str(error))
        if kind == Kind.WEBHOOK and len(cleaned.get("secret", "")) < SHORTEST_SECRET:
            self.add_error("secret", f"Enter at least {SHORTEST_SECRET} characters, such as those of: openssl rand -hex 32")
        return cleaned


def _checked(kind: str, address: str) -> str:
    """What pages show of the address. An error says what to enter instead."""
    match kind:
        case Kind.EMAIL:
            if not settings.EMAIL_URL:
                raise forms.ValidationError("There is no mail server. Set EMAIL_URL, for web and worker.")
            several = [one.strip() for one in address.split(",") if one.strip()]
            if len(several) > MOST_ADDRESSES:
                raise forms.ValidationError(f"At most {MOST_ADDRESSES} addresses. Use a mailing list.")
            for one in several:
                validate_email(one)
            return ", ".join(several)[:300]
        case Kind.APPRISE:
            return f"{service_of(address)}://…"
        case _:
            place = find(address, SLACK_HOSTS if kind == Kind.SLACK else ())
            return f"{place.scheme}://{place.name}/…"


class RuleForm(OfBrand):
    class Meta:
        model = NotificationRule
        fields = ("event", "brand", "channel")
        labels = {"event": "When"}

    def __init__(self, *args: Any, user: Any, **kwargs: Any):
        super().__init__(*args, user=user, **kwargs)
        theirs = Q() if self.brands.every else Q(brand__in=self.brands.rows())
        self.fields["channel"] = forms.ModelChoiceField(
            NotificationChannel.objects.filter(theirs),
            required=False,
            empty_label="Whoever queued the run, by e-mail",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        event, brand, channel = (cleaned.get(name) for name in ("event", "brand", "channel"))
        if isinstance(brand, Brand) and event in NotificationRule.OF_ALL_BRANDS:
            self.add_error("brand", "This concerns no single brand. Leave it empty.")
        if not channel and event != Event.FINISHED and "channel" not in self.errors:
            self.add_error("channel", "Choose a channel: nobody has queued what this tells of.")
        if not channel and event == Event.FINISHED and not settings.EMAIL_URL:
            self.add_error("channel", "There is no mail server. Set EMAIL_URL, for web and worker, or choose a channel.")
        return cleaned
