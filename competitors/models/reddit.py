"""Reddit research: what is asked for, the posts and comments that came, and the quotes that were kept."""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from pipeline.models import Brand
from pipeline.models.fields import FoldedTextField, ForeignCharField, ForeignJSONField, ForeignTextField, NameField
from pipeline.words.search import folded

LEAST_USD = Decimal("0.05")  # that a scrape may be stopped at: with less, nothing worth while would come


def reddit_subject(queries: Iterable[str], subreddits: Iterable[str] = ()) -> str:
    """What a scrape is about, as a key. Case, order, blanks and an r/ before a subreddit do not matter."""
    asked = {" ".join(query.split()).casefold() for query in queries}
    places = {subreddit_name(name).casefold() for name in subreddits}
    return hashlib.sha256(json.dumps([sorted(asked - {""}), sorted(places - {""})]).encode()).hexdigest()


def subreddit_name(given: str) -> str:
    """Its name alone, of "r/dogs", "/r/dogs/" and "dogs"."""
    return given.strip().strip("/").removeprefix("r/").removeprefix("R/").strip()


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


class Persona(models.Model):
    """A kind of customer. Quotes are collected under it."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="personas")
    name = NameField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="persona_once_per_brand")]

    def __str__(self) -> str:
        return self.name


class BrandSubreddit(models.Model):
    """A subreddit that a brand's researches choose from."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="subreddits")
    name = ForeignCharField(max_length=60, help_text="Without r/.")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("brand", Lower("name"), name="subreddit_once_per_brand")]

    def __str__(self) -> str:
        return f"r/{self.name}"


class RedditResearch(models.Model):
    """A saved form: what is asked of Reddit, and what is kept of it."""

    class Timeframe(models.TextChoices):
        HOUR = "hour", "the last hour"
        DAY = "day", "the last day"
        WEEK = "week", "the last week"
        MONTH = "month", "the last month"
        YEAR = "year", "the last year"
        ALL = "all", "any time"

    SETTINGS = (  # what people set of it, in the order of the form
        "name",
        "topic_context",
        "search_queries",
        "timeframe",
        "max_posts",
        "min_upvotes",
        "min_comments",
        "relevance_threshold",
        "signal_threshold",
        "top_percentile",
        "persona",
        "persona_context",
        "auto_sync_to_persona",
        "stop_at_usd",
        "subreddits",
    )

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="reddit_researches")
    name = NameField(max_length=120)
    # The hash of queries and subreddits, which is what a run is about: so a research finds its runs.
    subject = models.CharField(max_length=64, editable=False)
    search_queries = ForeignJSONField(default=list, help_text="Texts.")
    subreddits = ForeignJSONField(default=list, blank=True, help_text="Names without r/. Empty: all of Reddit.")
    timeframe = models.CharField(max_length=5, choices=Timeframe, default=Timeframe.MONTH)
    max_posts = models.PositiveIntegerField(default=500, validators=[MinValueValidator(10), MaxValueValidator(5000)])
    min_upvotes = models.PositiveIntegerField(default=20)
    min_comments = models.PositiveIntegerField(default=5)
    relevance_threshold = models.FloatField(default=0.6, validators=[MinValueValidator(0), MaxValueValidator(1)])
    signal_threshold = models.FloatField(default=0.5, validators=[MinValueValidator(0), MaxValueValidator(1)])
    top_percentile = models.FloatField(default=0.2, validators=[MinValueValidator(0.01), MaxValueValidator(1)])
    topic_context = ForeignTextField(blank=True, default="", verbose_name="topic")
    persona_context = ForeignTextField(blank=True, default="")
    persona = models.ForeignKey(Persona, null=True, blank=True, on_delete=models.SET_NULL, related_name="researches")
    auto_sync_to_persona = models.BooleanField(default=False, verbose_name="copy quotes to the persona")
    stop_at_usd = models.DecimalField(
        max_digits=6, decimal_places=2, default=3, validators=[MinValueValidator(LEAST_USD)], verbose_name="stop at (USD)"
    )
    last_scraped_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name_plural = "Reddit researches"
        permissions = [("scrape_redditresearch", "Can scrape Reddit")]
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="research_name_once_per_brand"),
            models.UniqueConstraint(fields=["brand", "subject"], name="research_subject_once_per_brand"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.subject = reddit_subject(_texts(self.search_queries), _texts(self.subreddits))
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return f"{reverse('reddit', args=[self.brand.slug])}#research-{self.pk}"

    def parameters(self) -> dict[str, Any]:
        """Those of its scrape, all of them."""
        return {
            "search_queries": self.search_queries,
            "subreddits": self.subreddits,
            "timeframe": self.timeframe,
            "max_posts": self.max_posts,
            "min_upvotes": self.min_upvotes,
            "min_comments": self.min_comments,
            "relevance_threshold": self.relevance_threshold,
            "signal_threshold": self.signal_threshold,
            "top_percentile": self.top_percentile,
            "topic_context": self.topic_context,
            "persona_context": self.persona_context,
            "persona_id": self.persona_id,
            "auto_sync_to_persona": self.auto_sync_to_persona,
            "stop_at_usd": str(self.stop_at_usd),
        }


class RedditScores(models.Model):
    """How well it fits the topic, and how much it tells, each from 0 to 1, with the parts that the scorer gave."""

    relevance = models.FloatField(null=True, blank=True)
    signal = models.FloatField(null=True, blank=True)
    why = ForeignJSONField(default=dict, blank=True, help_text="The parts of both scores.")

    class Meta:
        abstract = True


def post_url(permalink: str, reddit_id: str, comment_id: str = "") -> str:
    """Of a post, or of a comment below it."""
    path = permalink or f"/comments/{reddit_id}/"
    return f"https://www.reddit.com{path.rstrip('/')}/{comment_id}/" if comment_id else f"https://www.reddit.com{path}"


class LeftAt(models.TextChoices):
    """The step of the funnel that a post did not pass."""

    FILTERS = "filters", "Too few upvotes or comments"
    NSFW = "nsfw", "For adults only"
    NOT_MEASURED = "not_measured", "Not measured"
    RELEVANCE = "relevance", "Not about the topic, or little signal"
    SHARE = "share", "Not among the best"
    KEPT = "kept", "Kept"


class RedditPost(RedditScores):
    """A post, once per brand. Scores and `left_at` are of the last scrape that brought it; see RedditFinding."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="reddit_posts")
    reddit_id = ForeignCharField(max_length=20)
    original_id = ForeignCharField(
        max_length=20, editable=False, help_text="Of a crosspost, the post that it repeats; else its own id. One of them stays."
    )
    subreddit = ForeignCharField(max_length=60, blank=True, default="")
    title = ForeignTextField(blank=True, default="")
    body = ForeignTextField(blank=True, default="")
    author = ForeignCharField(max_length=60, blank=True, default="", help_text="Empty where it was deleted.")
    permalink = ForeignCharField(max_length=400, blank=True, default="", help_text="The path on www.reddit.com.")
    score = models.IntegerField(null=True, blank=True, help_text="Upvotes less downvotes. Empty: not known.")
    num_comments = models.PositiveIntegerField(null=True, blank=True, help_text="As Reddit counts, with removed ones.")
    created_at = models.DateTimeField(null=True, blank=True, help_text="When it was posted.")
    over_18 = models.BooleanField(default=False)
    left_at = models.CharField(max_length=12, choices=LeftAt, blank=True, default="")
    search_text = FoldedTextField(blank=True, default="", editable=False)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # No index: every index makes saving slower.
    first_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-last_seen_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "reddit_id"], name="reddit_post_once_per_brand"),
            models.UniqueConstraint(fields=["brand", "original_id"], name="reddit_crossposts_once_per_brand"),
        ]

    def __str__(self) -> str:
        return self.title or f"Post {self.reddit_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.original_id = self.original_id or self.reddit_id
        super().save(*args, **kwargs)

    @property
    def url(self) -> str:
        return post_url(self.permalink, self.reddit_id)

    @staticmethod
    def searchable(title: str, body: str) -> str:
        return folded(f"{title}\n{body}")


class RedditFinding(RedditScores):
    """What a research made of a post: two of them may find the same one, and each has a topic of its own."""

    post = models.ForeignKey(RedditPost, on_delete=models.CASCADE, related_name="findings")
    subject = models.CharField(max_length=64, help_text="As RedditResearch.subject; also of runs that no research is saved for.")
    left_at = models.CharField(max_length=12, choices=LeftAt, blank=True, default="", help_text="Empty: not looked at yet.")
    unmeasured = models.BooleanField(default=False, help_text="It came without a score or a number of comments.")
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "subject"], name="reddit_finding_once")]
        indexes = [models.Index(fields=["subject", "left_at", "-signal"], name="reddit_findings_of_subject")]

    def __str__(self) -> str:
        return f"{self.post}: {self.get_left_at_display()}"


class RedditComment(models.Model):
    """A comment that was paid for, whatever is made of it."""

    post = models.ForeignKey(RedditPost, on_delete=models.CASCADE, related_name="comments")
    reddit_id = ForeignCharField(max_length=20)
    parent_id = ForeignCharField(max_length=20, blank=True, default="", help_text="The comment that it answers, empty: the post.")
    body = ForeignTextField(blank=True, default="")
    author = ForeignCharField(max_length=60, blank=True, default="", help_text="Empty where it was deleted.")
    score = models.IntegerField(null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "reddit_id"], name="reddit_comment_once_per_post")]

    def __str__(self) -> str:
        return f"Comment {self.reddit_id}"


class RedditQuote(RedditScores):
    """A passage of a kept post, or of a comment below it, that says something of one kind."""

    class Category(models.TextChoices):
        PAIN_POINT = "pain_point", "Pain points"
        DESIRED_OUTCOME = "desired_outcome", "Desired outcomes"
        BUYING_OBJECTION = "buying_objection", "Buying objections"
        FAILED_SOLUTION = "failed_solution", "Failed solutions"
        DESIRED_FEATURE = "desired_feature", "Desired features"
        FAMILIAR_SOLUTION = "familiar_solution", "Familiar solutions"

    post = models.ForeignKey(RedditPost, on_delete=models.CASCADE, related_name="quotes")
    comment = models.ForeignKey(
        RedditComment,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="quotes",
        help_text="Empty: the post says it.",
    )
    category = models.CharField(max_length=20, choices=Category)
    text = ForeignTextField()
    text_key = models.CharField(max_length=64, editable=False, help_text="A hash of the text in its plainest form.")
    search_text = FoldedTextField(blank=True, default="", editable=False)
    first_seen_at = models.DateTimeField()
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-signal", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["post", "text_key"], condition=Q(comment__isnull=True), name="quote_once_per_post"),
            models.UniqueConstraint(
                fields=["comment", "text_key"], condition=Q(comment__isnull=False), name="quote_once_per_comment"
            ),
        ]
        indexes = [models.Index(fields=["post", "category"], name="reddit_quotes_of_post")]

    def __str__(self) -> str:
        return self.text[:80]


class PersonaQuote(models.Model):
    """A quote that was copied to a persona."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="quotes")
    quote = models.ForeignKey(RedditQuote, on_delete=models.CASCADE, related_name="personas")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-added_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["persona", "quote"], name="quote_once_per_persona")]

    def __str__(self) -> str:
        return f"{self.persona}: {self.quote}"
