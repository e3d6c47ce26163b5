"""Quotes are copied to a persona: those that were ticked, or all that match the filters."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from competitors.models import Persona, RedditQuote
from competitors.views.access import get_brand
from pipeline.views.access import back_to, needs
from pipeline.words import counted

from ...findings.quotes import copy_to
from .listing import VIEW
from .quote_filter import QuoteFilter

MOST_AT_ONCE = 5_000


@require_POST
@needs(*VIEW, "competitors.view_persona", "competitors.add_personaquote")
def copy_quotes(request: HttpRequest, brand: str) -> HttpResponseRedirect:
    """With `all`: what the list at the address of the form shows, on all its pages."""
    owner = get_brand(brand)
    back = reverse("reddit_quotes", args=[brand])
    persona = Persona.objects.filter(brand=owner, pk__in=numbers([request.POST.get("persona", "")])).first()
    if owner.closed or not persona:
        messages.error(request, owner.closed or "Nothing was copied. Choose a persona first.")
        return back_to(request, back)
    if "all" in request.POST:
        asked = request.POST.copy()
        for name in ("all", "quote", "persona", "next", "csrfmiddlewaretoken"):
            asked.pop(name, None)
        quotes = QuoteFilter(owner, asked).quotes()
    else:
        quotes = RedditQuote.objects.filter(post__brand=owner, pk__in=numbers(request.POST.getlist("quote")))
    copied = copy_to(persona, quotes, MOST_AT_ONCE)
    if not copied:
        messages.info(request, format_html("Nothing to copy: <bdi>{}</bdi> has them all, or none was ticked.", persona.name))
    else:
        link = reverse("persona", args=[brand, persona.pk])
        words = 'Copied {} to <a href="{}"><bdi>{}</bdi></a>.'
        messages.success(request, format_html(words, counted(copied, "quote"), link, persona.name))
    return back_to(request, back)


def numbers(given: list[str]) -> list[int]:
    return [int(one) for one in given[:MOST_AT_ONCE] if one.isdecimal() and one.isascii() and len(one) < 19]
