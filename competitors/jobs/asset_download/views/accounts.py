"""The way to a brand's ad accounts: all brands, and how an account is added and removed."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html

from competitors.models import BrandAd, MediaStatus
from competitors.views.access import get_brand
from competitors.views.forms import saved
from competitors.views.subjects.remove import remove as remove_row
from pipeline.people import brands_for
from pipeline.views.access import needs, see_other
from pipeline.words import counted

from .forms import AdAccountForm
from .page import page


@needs("competitors.view_adaccount")
def brands(request: HttpRequest) -> HttpResponse:
    """Every brand that is open to this person, with what is stored of its ads."""
    stored = Count("ad_accounts__ads__media", filter=Q(ad_accounts__ads__media__status=MediaStatus.STORED))
    rows = brands_for(request.user).rows().filter(archived_at=None).order_by("name")
    found = rows.annotate(accounts=Count("ad_accounts", distinct=True), files=stored)
    return render(request, "competitors/asset_download/brands.html", {"brands": found})


@needs("competitors.delete_adaccount")
def remove(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    place = page.place({"brand": brand})
    account = get_object_or_404(page.rows(place), pk=pk)
    ads = counted(BrandAd.objects.filter(ad_account=account).count(), "ad")
    gone = f"The {ads} of this account leave the page, with their pictures and videos."
    return remove_row(request, page, place, account, data="files", gone=gone)


@needs("competitors.add_adaccount")
def add(request: HttpRequest, brand: str) -> HttpResponse:
    """Save a valid account. Otherwise show the form with what is wrong."""
    owner = get_brand(brand)
    form = AdAccountForm(request.POST or None, brand=owner)
    if form.is_bound and owner.closed:
        form.add_error(None, owner.closed)
    if form.is_bound and form.is_valid() and saved(form, "account_id", "ad account"):
        words = "Added <bdi>{}</bdi>. Download its files to see its ads."
        messages.success(request, format_html(words, form.instance.account_id))
        return see_other(form.instance.get_absolute_url())
    context = {"brand": owner, "form": form}
    return render(request, "competitors/asset_download/form.html", context, status=422 if form.errors else 200)
