"""The way to a brand's ad accounts: all brands, and how an account is removed."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from competitors.models import BrandAd, MediaStatus
from competitors.views.access import brands_to_choose
from competitors.views.subjects.remove import remove as remove_row
from pipeline.views.access import needs
from pipeline.words import counted

from .page import page


@needs("competitors.view_adaccount")
def brands(request: HttpRequest) -> HttpResponse:
    """Every brand that is open to this person, with what is stored of its ads."""
    stored = Count("ad_accounts__ads__media", filter=Q(ad_accounts__ads__media__status=MediaStatus.STORED))
    rows = brands_to_choose(request.user)
    found = rows.annotate(accounts=Count("ad_accounts", distinct=True), files=stored)
    return render(request, "competitors/asset_download/brands.html", {"brands": found})


@needs("competitors.delete_adaccount")
def remove(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    place = page.place({"brand": brand})
    account = get_object_or_404(page.rows(place), pk=pk)
    ads = counted(BrandAd.objects.filter(ad_account=account).count(), "ad")
    gone = f"The {ads} of this account leave the page, with their pictures and videos."
    return remove_row(request, page, place, account, data="files", gone=gone)
