"""The job type reddit_scrape: its parameters, and what a run of it is about, costs and leaves behind."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.urls import reverse

from competitors.models import Persona, RedditFinding, RedditResearch
from competitors.models.reddit import LEAST_USD
from competitors.steps.subject_rows import countable, scraped_by
from pipeline import queries
from pipeline.contract import Brought, Context, Done, Estimate, JobType, ParameterForm, Subject, UsualNumber, job_type
from pipeline.models import Brand, Run
from pipeline.states import Verdict

from . import order, service
from .asked import MOST_POSTS, USUAL_POSTS, USUAL_STOP, Asked
from .fields import ListField, SubredditsField, UsualShare

NAME, DATASET = "reddit_scrape", "reddit_data"
FETCHED_BY = ("search_queries", "subreddits", "timeframe", "max_posts")  # the rest says what is made of it
scraped_by(NAME, RedditResearch, key="subject", settings=RedditResearch.SETTINGS)


@job_type(
    NAME,
    label="Reddit Scrape",
    emoji="👽",
    datasets={DATASET: "Reddit Data"},
    source="apify",
    row="post",
    actor=order.ACTOR,
    max_age=timedelta(days=7),
    permission="competitors.scrape_redditresearch",
)
class RedditScrape(JobType):
    class Params(ParameterForm):
        search_queries = ListField(help_text="One per line.")
        subreddits = SubredditsField(required=False, help_text="Separated by commas. Empty: all of Reddit.")
        timeframe = forms.ChoiceField(
            choices=RedditResearch.Timeframe, initial=RedditResearch.Timeframe.MONTH, required=False, label="Posts of"
        )
        max_posts = UsualNumber(
            usual=USUAL_POSTS, least=10, most=MOST_POSTS, label="Max posts", help_text="In all, divided among the queries."
        )
        min_upvotes = UsualNumber(usual=20, least=0, most=1_000_000, label="Min upvotes")
        min_comments = UsualNumber(usual=5, least=0, most=1_000_000, label="Min comments")
        relevance_threshold = UsualShare(usual=0.6, least=0, label="Relevance, at least")
        signal_threshold = UsualShare(usual=0.5, least=0, label="Signal, at least")
        top_percentile = UsualShare(usual=0.2, least=0.01, label="Part of the relevant posts that is kept")
        persona_id = forms.IntegerField(required=False, min_value=1, label="Persona id")
        auto_sync_to_persona = forms.BooleanField(initial=False, required=False, label="Copy quotes to the persona")
        topic_context = forms.CharField(required=False, max_length=2000, widget=forms.Textarea, label="Topic")
        persona_context = forms.CharField(required=False, max_length=2000, widget=forms.Textarea, label="About the persona")
        stop_at_usd = forms.DecimalField(
            initial=USUAL_STOP,
            min_value=LEAST_USD,
            max_digits=6,
            decimal_places=2,
            required=False,
            label="Stop at (USD)",
            help_text="The run never costs more.",
        )

        def clean_timeframe(self) -> str:
            return self.cleaned_data["timeframe"] or RedditResearch.Timeframe.MONTH

        def clean_stop_at_usd(self) -> Decimal:
            given = self.cleaned_data["stop_at_usd"]
            return USUAL_STOP if given is None else given

        def clean_persona_id(self) -> int | None:
            given: int | None = self.cleaned_data["persona_id"]
            if given is None or Persona.objects.filter(pk=given, brand=self.brand).exists():
                return given
            raise ValidationError(f"There is no persona {given} of {self.brand}. It may have been removed.")

        def clean(self) -> dict[str, Any]:
            found = super().clean()
            if self.brand is None:
                raise ValidationError("Choose a brand: what is found belongs to it.")
            if found.get("auto_sync_to_persona") and not found.get("persona_id") and "persona_id" not in self.errors:
                self.add_error("auto_sync_to_persona", "Choose the persona that quotes are copied to.")
            searches = len(found.get("search_queries") or []) * max(len(found.get("subreddits") or []), 1)
            if searches > found.get("max_posts", searches):
                self.add_error("max_posts", f"These are {searches:,} searches: ask for at least one post of each.")
            return found

    def options(self, parameters: Any) -> dict[str, Any]:
        return {name: value for name, value in super().options(parameters).items() if name in FETCHED_BY}

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        asked = Asked.of(params)
        research = RedditResearch.objects.select_related("brand").filter(brand=brand, subject=asked.key).first()
        if research:
            return _subject(research)
        return Subject(asked.key, asked.label[:300], reverse("reddit", args=[brand.slug]) if brand else "")

    def subject_of_row(self, row: RedditResearch) -> Subject:
        return _subject(row)

    def subject_rows(self) -> QuerySet[RedditResearch]:
        return countable(RedditResearch.objects.select_related("brand"), "brand_id", "subject")

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate:
        asked = Asked.of(params)
        good_runs = queries.good_runs_of(NAME, brand.pk if brand else None, asked.key, "")
        return order.estimate(asked, good_runs, queries.price_now(NAME).usd)

    def usual_price(self) -> Decimal:
        return order.usual_price()

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        return service.research_reddit(ctx, Asked.of(params))

    def brought(self, run: Run) -> Brought | None:
        """None for a run that no research is saved for: its posts have no page."""
        research = RedditResearch.objects.select_related("brand").filter(brand=run.brand, subject=run.subject).first()
        if research is None:
            return None
        new = RedditFinding.objects.filter(subject=run.subject, post__brand=run.brand_id, post__first_run=run)
        best = new.select_related("post").order_by(F("signal").desc(nulls_last=True), "-pk")[: Brought.SHOWN]
        posts = [one.post for one in best]
        rows = [(post.title, post.body, post.created_at.date() if post.created_at else None) for post in posts]
        page = reverse("reddit_posts", args=[research.brand.slug, research.pk])
        return Brought(f"{page}?run={run.pk}", "competitors.view_redditpost", rows)

    def on_completed(self, run: Run, fetched_at: datetime) -> None:
        if run.verdict == Verdict.OK:
            known = RedditResearch.objects.filter(brand=run.brand, subject=run.subject)
            known.filter(Q(last_scraped_at=None) | Q(last_scraped_at__lte=fetched_at)).update(last_scraped_at=fetched_at)


def _subject(research: RedditResearch) -> Subject:
    return Subject(research.subject, research.name[:300], research.get_absolute_url(), parameters=research.parameters())
