"""The way to a brand's researches, and how one is added, changed and removed."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html

from competitors.models import RedditFinding, RedditQuote, RedditResearch, reddit_subject
from competitors.views.access import brands_to_choose, get_brand
from competitors.views.subjects import views
from competitors.views.subjects.remove import remove as remove_row
from pipeline import queries
from pipeline.models import Brand, Run
from pipeline.people import can_words
from pipeline.views.access import needs, see_other
from pipeline.words import counted

from ...job import NAME
from ..page import page
from .changes import live_scrape, save_research
from .forms import ResearchForm


@needs("competitors.view_redditresearch")
def brands(request: HttpRequest) -> HttpResponse:
    """Every brand that is open to this person, with what was researched for it."""
    rows = brands_to_choose(request.user)
    found = rows.annotate(
        researches=_count(RedditResearch.objects.all(), "brand"), quotes=_count(RedditQuote.objects.all(), "post__brand")
    )
    return render(request, "competitors/reddit_scrape/brands.html", {"brands": found})


@needs("competitors.add_redditresearch")
def add(request: HttpRequest, brand: str) -> HttpResponse:
    """With `run` in the address, the form starts as that run was asked."""
    owner = get_brand(brand)
    form = ResearchForm(request.POST or None, brand=owner, instance=_as_asked(request, owner))
    return _form(request, owner, form)


@needs("competitors.change_redditresearch")
def edit(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    """Other queries or subreddits are another subject, with a history of its own."""
    owner = get_brand(brand)
    form = ResearchForm(request.POST or None, brand=owner, instance=get_object_or_404(RedditResearch, pk=pk, brand=owner))
    return _form(request, owner, form)


@needs("competitors.delete_redditresearch")
def remove(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    place = page.place({"brand": brand})
    research = get_object_or_404(page.rows(place), pk=pk)
    posts = RedditFinding.objects.filter(post__brand=research.brand, subject=research.subject).count()
    return remove_row(
        request, page, place, research, data="posts", kept=f"{counted(posts, 'post')} and the quotes, for all of the brand."
    )


def _count(rows: "QuerySet[Any]", brand: str) -> Coalesce:
    """How many of the rows a brand has. A query of its own: joined, researches times quotes would be counted."""
    of_brand = rows.filter(**{brand: OuterRef("pk")}).order_by().values(brand)
    return Coalesce(Subquery(of_brand.annotate(count=Count("pk")).values("count")), 0)


def _form(request: HttpRequest, brand: Brand, form: ResearchForm) -> HttpResponse:
    """Save and scrape, save only, or show the form with its price. `do` says which button was pressed."""
    research, do = form.instance, request.POST.get("do", "")
    stored = RedditResearch.objects.get(pk=research.pk) if research.pk else None
    if form.is_bound:
        if do not in ("save", "scrape"):
            form.forgive("name")
            if do == "add":
                form.forgive(*form.fields.keys() - {"add"})
        elif brand.closed:
            form.add_error(None, brand.closed)
        elif do == "scrape" and not request.user.has_perm(page.may_scrape):
            form.add_error(None, can_words(page.may_scrape))
        elif form.is_valid() and _saved(form, stored, request.user):
            messages.success(request, format_html("Saved <bdi>{}</bdi>.", research.name))
            return views.scrape_row(page, request, research) if do == "scrape" else see_other(research.get_absolute_url())
    context = {
        "brand": brand,
        "research": stored,
        "form": form,
        "estimate": queries.estimate_for(NAME, brand, form.asked) if form.asked else None,
        "before": queries.before_the_click(NAME, brand.pk, request.user),
        "may_scrape": request.user.has_perm(page.may_scrape),
        "legacy": bool(request.session.get(page.legacy_key)),
    }
    if request.headers.get("HX-Request"):
        return render(request, "competitors/reddit_scrape/_form_price.html", context)
    return render(request, "competitors/reddit_scrape/form.html", context, status=422 if form.errors else 200)


def _saved(form: ResearchForm, stored: RedditResearch | None, by: Any) -> bool:
    """False, with the error set, if a run is live for what it asked for before, or somebody saved the same just now."""
    research, before = form.instance, stored.subject if stored else ""
    moved = before and reddit_subject(research.search_queries, research.subreddits) != before
    if moved and (live := live_scrape(research, before)):
        words = f"Queries and subreddits cannot be changed while {str(live).lower()} works on them."
        form.add_error("search_queries", f"{words} Cancel that run, or wait until it ends.")
        return False
    try:
        save_research(research, by, before)
    except IntegrityError:
        form.add_error("name", "Somebody saved a research with this name, or the same queries and subreddits, just now.")
        return False
    return True


def _as_asked(request: HttpRequest, brand: Brand) -> RedditResearch:
    """A new research that asks for what the run did that the address names."""
    pk = request.GET.get("run", "")
    run = Run.objects.filter(pk=pk, brand=brand, job_type=NAME).first() if pk.isdecimal() and len(pk) < 19 else None
    known = RedditResearch().parameters()
    asked = {name: value for name, value in run.parameters.items() if name in known} if run else {}
    return RedditResearch(brand=brand, **asked)
