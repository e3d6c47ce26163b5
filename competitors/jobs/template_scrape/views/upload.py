"""Adds a template by hand: a picture or video from somebody's own machine."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html

from competitors.models import Media, TemplateCandidate
from competitors.upstream.media import NotStored, keep
from pipeline.contract import BlockedError, PermanentError
from pipeline.views.access import needs, see_other

from ..decisions import decide
from . import frame
from .forms import UploadForm
from .frame import Status
from .queue import tell


@needs(frame.ADD, platform=True)
def upload(request: HttpRequest) -> HttpResponse:
    """The file is checked by its content, as a downloaded one is. A file that is there already is not added twice."""
    form = UploadForm(request.POST or None, request.FILES or None, auto_id="upload_%s")
    if form.is_bound and form.is_valid() and (media := _kept(form)) and (row := _added(request, form, media)):
        return see_other(reverse("templates" if row.status == Status.PENDING else "template_library"))
    context = frame.frame(request, "template_upload") | {"form": form}
    return render(request, "competitors/template_scrape/upload.html", context, status=422 if form.errors else 200)


def _kept(form: UploadForm) -> Media | None:
    """The stored file; None, with the field's error set, if it is refused."""
    try:
        kept = keep(form.cleaned_data["file"].chunks())
    except (BlockedError, PermanentError) as error:
        form.add_error("file", str(error))
        return None
    if isinstance(kept, NotStored):
        form.add_error("file", f"{kept.reason.label}. {kept.detail}")
        return None
    return kept


def _added(request: HttpRequest, form: UploadForm, media: Media) -> TemplateCandidate | None:
    with transaction.atomic():
        filed = form.filed()
        row, new = TemplateCandidate.objects.get_or_create(media=media, library_ad=None, defaults=filed)
        if not new:
            words = "This file was uploaded before: it is “{}”, {}."
            form.add_error("file", words.format(row.title, row.get_status_display().lower()))
            return None
    if form.cleaned_data["approve"]:
        tell(request, decide([row.pk], Status.PENDING, Status.APPROVED, request.user), "Uploaded and approved")
        row.refresh_from_db()
    else:
        messages.success(request, format_html("Uploaded <bdi>{}</bdi>. It waits for review.", row.title))
    return row
