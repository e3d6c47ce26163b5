"""One candidate: its picture, what it is filed under, and every decision about it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from competitors.models import TemplateCandidate
from pipeline.people import can_words
from pipeline.views.access import back_to, needs

from ..decisions import decide
from . import frame
from .forms import TemplateForm
from .frame import OF_STATUS
from .pictures import with_pictures
from .queue import ACTIONS, tell


@needs(frame.VIEW, platform=True)
def template(request: HttpRequest, pk: int) -> HttpResponseBase:
    rows = TemplateCandidate.objects.select_related("library_ad", "media", "category", "niche", "reviewed_by")
    row = get_object_or_404(rows, pk=pk)
    if request.method == "POST":
        return _decide(request, row)
    return _show(request, row, TemplateForm(instance=row, auto_id="desk_%s"))


@needs(frame.DECIDE)
def _decide(request: HttpRequest, row: TemplateCandidate) -> HttpResponse:
    """A decision saves the fields too. Fields that are wrong keep an approval from being made, nothing else."""
    was, shown = request.POST.get("was", row.status), TemplateCandidate.objects.get(pk=row.pk)
    form = TemplateForm(request.POST, instance=shown, auto_id="desk_%s")
    right = form.is_valid()
    if "save" in request.POST:
        status, words = was, "Saved"
    else:
        status, words = next((ACTIONS[name] for name in ACTIONS if name in request.POST), (was, ""))
    if not words or (not right and status == frame.Status.APPROVED):
        return _show(request, row, form, status=422)
    filed = form.filed() if right and "name" in form.data else {}
    tell(request, decide([row.pk], was, status, request.user, filed=filed, version=form.cleaned_data.get("version")), words)
    return back_to(request, reverse(OF_STATUS[frame.Status(row.status)][1]))


def _show(request: HttpRequest, row: TemplateCandidate, form: TemplateForm, status: int = 200) -> HttpResponse:
    label, address = OF_STATUS[frame.Status(row.status)]
    context = frame.frame(request, address) | {
        "desk": with_pictures([row])[0],
        "form": form,
        "tab": {"label": label, "url": reverse(address)},
        "was": row.status,
        "here": "",
        "decisions": row.decisions.select_related("by"),
        "lacking": "" if request.user.has_perm(frame.DECIDE) else can_words(frame.DECIDE),
    }
    return render(request, "competitors/template_scrape/one.html", context, status=status)
