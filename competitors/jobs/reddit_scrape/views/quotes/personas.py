"""A brand's personas: their list, and the quotes of one of them."""

from copy import copy
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from competitors.models import Persona, PersonaQuote
from competitors.views.access import get_brand
from competitors.views.forms import saved
from pipeline.contract import ListFile, list_export
from pipeline.models import Brand
from pipeline.people import can_words
from pipeline.views.access import back_to, needs, see_other
from pipeline.words import counted

from .copying import numbers
from .listing import VIEW, file_of, list_context
from .quote_filter import QuoteFilter

FOLDER = "competitors/reddit_scrape/personas"


class PersonaForm(forms.ModelForm):
    """A persona of the brand that the form was made for."""

    class Meta:
        model = Persona
        fields = ["name"]

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.brand = brand

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Persona.objects.filter(brand=self.instance.brand).exclude(pk=self.instance.pk)
        if others.filter(name=name).exists():
            raise forms.ValidationError("This brand already has a persona with this name.")
        return name


@needs("competitors.view_persona")
def personas(request: HttpRequest, brand: str) -> HttpResponse:
    """All of them, and the form that adds one."""
    owner = get_brand(brand)
    allowed = request.user.has_perm("competitors.add_persona")
    if request.method == "POST" and (owner.closed or not allowed):
        raise PermissionDenied(owner.closed if allowed else can_words("competitors.add_persona"))
    form = PersonaForm(request.POST or None, brand=owner)
    if form.is_bound and form.is_valid() and saved(form):
        messages.success(request, format_html("Added <bdi>{}</bdi>. Copy quotes to it below the list of quotes.", form.instance))
        return see_other(reverse("personas", args=[brand]))
    context = {
        "brand": owner,
        "personas": Persona.objects.filter(brand=owner).annotate(quote_count=Count("quotes")).order_by("name"),
        "form": form,
        "may_add": allowed and not owner.closed,
    }
    return render(request, f"{FOLDER}/all.html", context, status=422 if form.errors else 200)


@needs("competitors.view_persona", "competitors.view_personaquote", *VIEW)
def persona(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    """Its quotes. Filter, order and page are in the address."""
    found = _persona(brand, pk)
    asked = QuoteFilter(found.brand, request.GET, found)
    may_take_out = request.user.has_perm("competitors.delete_personaquote") and not found.brand.closed
    context = list_context(request, asked) | {"persona": found, "may_take_out": may_take_out}
    return render(request, f"{FOLDER}/one.html", context)


@list_export("persona_quotes", "competitors.view_persona", "competitors.view_personaquote", *VIEW)
def persona_file(user: Any, query: QueryDict, brand: str, pk: int) -> ListFile:
    """All quotes that the page at this address shows."""
    found = _persona(brand, pk)
    return file_of(QuoteFilter(found.brand, query, found).quotes(), f"persona-{found.pk}.csv")


@needs("competitors.view_persona", "competitors.change_persona")
def edit(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    found = _persona(brand, pk)
    form = PersonaForm(request.POST or None, instance=copy(found), brand=found.brand)
    if form.is_bound and form.is_valid() and saved(form):
        messages.success(request, format_html("Saved <bdi>{}</bdi>.", form.instance))
        return see_other(reverse("persona", args=[brand, pk]))
    context = {"brand": found.brand, "persona": found, "form": form}
    return render(request, f"{FOLDER}/edit.html", context, status=422 if form.errors else 200)


@needs("competitors.view_persona", "competitors.delete_persona")
def remove(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    """A POST removes it, after a page that says what goes."""
    found = _persona(brand, pk)
    if request.method == "POST":
        found.delete()
        messages.success(request, format_html("Removed <bdi>{}</bdi>. Its quotes stay in the list of quotes.", found))
        return see_other(reverse("personas", args=[brand]))
    context = {"brand": found.brand, "persona": found, "quotes": found.quotes.count(), "researches": found.researches.all()}
    return render(request, f"{FOLDER}/remove.html", context)


@require_POST
@needs("competitors.view_persona", "competitors.delete_personaquote")
def take_out(request: HttpRequest, brand: str, pk: int) -> HttpResponseRedirect:
    """Take the ticked quotes out of the persona."""
    found = _persona(brand, pk)
    _, gone = PersonaQuote.objects.filter(persona=found, quote__in=numbers(request.POST.getlist("quote"))).delete()
    count = gone.get(PersonaQuote._meta.label, 0)
    if count:
        messages.success(request, f"Took out {counted(count, 'quote')}. They stay in the list of quotes.")
    else:
        messages.info(request, "Nothing was ticked, so nothing was changed.")
    return back_to(request, reverse("persona", args=[brand, pk]))


def _persona(brand: str, pk: int) -> Persona:
    return get_object_or_404(Persona.objects.select_related("brand"), pk=pk, brand__slug=brand)
