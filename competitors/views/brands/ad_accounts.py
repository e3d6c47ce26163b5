"""How an ad account is linked to a brand: the one way for every page that shows ad accounts."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html

from competitors.models import AdAccount
from competitors.steps.ad_account import SYNC
from pipeline import api
from pipeline.contract import InvalidRequest, NotAllowed
from pipeline.models import Brand, Run
from pipeline.people import brands_for
from pipeline.views.access import back_to, needs

from ..access import get_brand
from ..forms import saved

_IN_ADDRESS = re.compile(r"(?:act=|act_)([0-9]+)(?!\w)", re.IGNORECASE)
_NUMBER = re.compile(r"[1-9][0-9]{0,29}")


class LinkForm(forms.ModelForm):
    """An ad account that no brand has yet. Meta tells its name, currency and time zone."""

    class Meta:
        model = AdAccount
        fields = ["account_id"]

    account_id = forms.CharField(
        label="Ad account",
        max_length=2000,
        help_text="Paste its number, with or without act_, or its whole address in Meta's Ads Manager.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, brand: Brand, user: Any = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.brand, self._user = brand, user

    def clean_account_id(self) -> str:
        try:
            account_id, brand = read_account_id(self.cleaned_data["account_id"]), self.instance.brand
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        linked = AdAccount.objects.filter(Q(brand=brand) | Q(brand__archived_at=None), account_id=account_id)
        brands = {account.brand for account in linked.select_related("brand")}
        if brand in brands:
            raise forms.ValidationError(f"{account_id} is already linked to {brand}.")
        if other := next(iter(brands), None):
            raise forms.ValidationError(linked_words(account_id, other, self._user))
        return account_id


def read_account_id(text: str) -> str:
    """ "act_1234567890" of a number with or without act_, or of an address in Ads Manager. ValueError says what is wrong."""
    given = text.strip()
    found = _IN_ADDRESS.search(given)
    number = found[1] if found else given
    if not _NUMBER.fullmatch(number):
        if "/" in given and not found:
            raise ValueError("This address names no ad account. In Ads Manager, its number stands behind act=.")
        raise ValueError("An ad account's number has digits only, such as 1234567890 or act_1234567890.")
    return f"act_{number}"


def linked_words(account_id: str, other: Brand, user: Any) -> str:
    """Why it cannot be linked while another brand has it. Names that brand only to who may see it."""
    known = other if other.pk in brands_for(user) else "another brand"
    return f"{account_id} is already linked to {known}. Remove it there first."


def ask_meta(brand: Brand, user: Any, **wanted: str) -> Run:
    """Queue the look-up of an ad account, or of all of the brand's. InvalidRequest or NotAllowed."""
    return api.queue_one_time_job(brand.pk, SYNC, {**wanted, "parts": ["account"]}, created_by=user).run


@needs("competitors.add_adaccount")
def link(request: HttpRequest, brand: str) -> HttpResponse:
    """Save the account and ask Meta about it. Otherwise show the form with what is wrong. `next`: where it was asked for."""
    owner = get_brand(brand)
    form = LinkForm(request.POST or None, brand=owner, user=request.user)
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid() and saved(form, "account_id", "ad account", by=request.user):
        _check(request, form.instance)
        return back_to(request, form.instance.get_absolute_url())
    context = {"brand": owner, "form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "competitors/brands/account_link.html", context, status=422 if form.errors else 200)


def _check(request: HttpRequest, account: AdAccount) -> None:
    try:
        run = ask_meta(account.brand, request.user, ad_account=account.account_id)
    except (InvalidRequest, NotAllowed) as error:
        words = "Linked <bdi>{}</bdi>, but it could not be checked. {}"
        messages.warning(request, format_html(words, account.account_id, str(error)))
        return
    words = 'Linked <bdi>{}</bdi>. Meta is asked about it now. <a href="{}">See run {}</a>'
    messages.success(request, format_html(words, account.account_id, run.get_absolute_url(), run.pk), str(run.pk))


def with_check(accounts: QuerySet[AdAccount]) -> QuerySet[AdAccount]:
    """Each with `checking`: whether a run that asks Meta about it is live."""
    key = Cast(OuterRef("pk"), CharField())
    live = Run.objects.live().filter(Q(subject="") | Q(subject=key), job_type=SYNC, brand=OuterRef("brand"), scheduled_for=None)
    return accounts.annotate(checking=Exists(live))


def account_words(account: AdAccount) -> str:
    """What is known of it beside its name. Reads no row; an account of with_check() also says that it is being checked."""
    if account.checked_at is None and not account.currency:
        return "Checking…" if getattr(account, "checking", False) else "Not checked at Meta yet"
    if not account.currency and account.token_state in (AdAccount.TokenState.VALID, AdAccount.TokenState.EXPIRES):
        return "Meta shows no such account. Check its number."
    return ", ".join(filter(None, [account.account_id if account.name else "", account.currency, account.time_zone]))
