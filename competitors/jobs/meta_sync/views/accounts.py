"""The way to the accounts of a brand, their Sync button, and what makes an ad need attention."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from competitors.models import AttentionRule
from competitors.steps import settings
from competitors.views.access import brands_to_choose, get_brand
from competitors.views.subjects import scrape
from pipeline.views.access import back_to, needs, see_other

from .page import page


@require_safe
@needs(page.may_view)
def brands(request: HttpRequest) -> HttpResponse:
    """Every brand that is open to this person."""
    rows = brands_to_choose(request.user)
    found = rows.annotate(accounts=Count("ad_accounts"), synced_at=Max("ad_accounts__last_synced_at"))
    return render(request, "competitors/meta_sync/brands.html", {"brands": found})


@require_POST
@needs(page.may_scrape)
def sync(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    """Sync an account: everything, or the one part that was chosen. The box above the button says where it runs."""
    account = get_object_or_404(page.rows(page.place({"brand": brand})), pk=pk)
    legacy = request.session[page.legacy_key] = "legacy" in request.POST
    chosen = [part for part in request.POST.getlist("part") if part]
    options = {"parts": chosen} if chosen else {}
    scrape.start(
        request,
        account.brand_id,
        page.job_type,
        page.parameters(account) | options,
        options=options,
        work=page.work,
        act=page.act.lower(),
        legacy=legacy,
    )
    return back_to(request, page.url(account))


class AttentionRuleForm(forms.ModelForm):
    roas_drop_percent = forms.IntegerField(min_value=1, max_value=100, label="Fall of ROAS, percent")
    roas_min_spend = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, label="Min spend for that", help_text="An ad that spent less is left out."
    )
    no_purchase_spend = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        label="Spend without a purchase",
        help_text="An ad that spent more is listed.",
    )
    idle_days = forms.IntegerField(
        min_value=1,
        max_value=90,
        label="Days without delivery",
        help_text="An active ad that was not shown for so long is listed.",
    )

    class Meta:
        model = AttentionRule
        fields = ["roas_drop_percent", "roas_min_spend", "no_purchase_spend", "idle_days"]

    def changes(self) -> str:
        """'Days without delivery was 7, is 9', for the pages of the accounts."""
        found = ((self.fields[name].label, self.initial[name], self.cleaned_data[name]) for name in self.changed_data)
        return "; ".join(f"{label} was {before}, is {now}" for label, before, now in found)


@needs(page.may_view, "pipeline.change_brand")
def rules(request: HttpRequest, brand: str) -> HttpResponse:
    """From when on an ad of the brand needs attention."""
    owner = get_brand(brand)
    rule = AttentionRule.objects.filter(brand=owner).first() or AttentionRule(brand=owner)
    form = AttentionRuleForm(request.POST or None, instance=rule, auto_id="rule_%s")
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            # Not form.save(): two people may save the first rule at once.
            AttentionRule.objects.update_or_create(brand=owner, defaults=form.cleaned_data)
            if changes := form.changes():
                settings.record(owner.ad_accounts.all(), "Thresholds changed", request.user, changes)
        messages.success(request, "Saved. These thresholds apply to all ad accounts of the brand.")
        return see_other(reverse(page.url_name, args=[owner.slug]))
    context = {"brand": owner, "form": form}
    return render(request, "competitors/meta_sync/rules.html", context, status=422 if form.errors else 200)
