"""Saves what kept posts, and the comments below them, say of one kind; and copies it to a persona."""

from collections.abc import Iterator, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from competitors.models import Persona, PersonaQuote, RedditComment, RedditPost, RedditQuote
from competitors.scoring import Scorer, find_quotes, quote_key
from pipeline.contract import Context
from pipeline.words.search import folded

from .funnel import words

AT_ONCE = 20  # posts, each with up to some dozens of comments
CONTENT = ["category", "text", "search_text", "relevance", "signal", "why", "last_run"]


def save_quotes(ctx: Context, posts: Sequence[RedditPost], scorer: Scorer) -> dict[str, int]:
    """Of these posts. Returns how many they have, and how many of these are new."""
    found = new = 0
    for start in range(0, len(posts), AT_ONCE):
        ctx.check()
        some = posts[start : start + AT_ONCE]
        quotes = {_key(quote): quote for quote in _quotes(ctx, some, scorer)}
        known = {_key(quote): quote.pk for quote in RedditQuote.objects.filter(post__in=some)}
        for key in quotes.keys() & known.keys():
            quotes[key].pk = known[key]
        RedditQuote.objects.bulk_update([quotes[key] for key in quotes if key in known], CONTENT, batch_size=100)
        fresh = [quotes[key] for key in quotes if key not in known]
        RedditQuote.objects.bulk_create(fresh, batch_size=100, ignore_conflicts=True)
        found, new = found + len(quotes), new + len(fresh)
    return {"quotes": found, "new_quotes": new}


def copy_found(ctx: Context, persona_id: int, posts: Sequence[RedditPost]) -> int:
    """Copy the quotes that this run found in these posts to the persona. Returns how many are new there."""
    persona = Persona.objects.filter(pk=persona_id, brand=ctx.run.brand).first()
    if persona is None:
        ctx.log("The persona was removed, so no quotes were copied.", "warning")
        return 0
    return copy_to(persona, RedditQuote.objects.filter(post__in=posts, last_run=ctx.run))


def copy_to(persona: Persona, quotes: "QuerySet[RedditQuote]", most: int | None = None) -> int:
    """Copy the quotes that the persona does not have, at most so many. Returns how many these were."""
    there = PersonaQuote.objects.filter(persona=persona, quote=OuterRef("pk"))
    new = list(quotes.filter(~Exists(there)).values_list("pk", flat=True)[:most])
    rows = (PersonaQuote(persona=persona, quote_id=pk) for pk in new)
    PersonaQuote.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)  # somebody may copy the same just now
    return len(new)


def _key(quote: RedditQuote) -> tuple[int, int | None, str]:
    return quote.post_id, quote.comment_id, quote.text_key


def _quotes(ctx: Context, posts: Sequence[RedditPost], scorer: Scorer) -> Iterator[RedditQuote]:
    at = timezone.now()
    said: list[tuple[RedditPost, RedditComment | None, str]] = [(post, None, words(post)) for post in posts]
    by_post = {post.pk: post for post in posts}
    for comment in RedditComment.objects.filter(~Q(body=""), post__in=posts).order_by("pk"):
        said.append((by_post[comment.post_id], comment, comment.body))
    for post, below, text in said:
        for passage in find_quotes(text):
            score = scorer.score(passage.text)
            yield RedditQuote(
                post=post,
                comment=below,
                category=passage.category,
                text=passage.text,
                text_key=quote_key(passage.text),
                search_text=folded(passage.text),
                relevance=post.relevance,  # a sentence rarely names what its conversation is about
                signal=score.signal,
                why={**post.why, "parts": score.why.get("parts", []), "phrase": passage.phrase},
                first_seen_at=at,
                last_run=ctx.run,
            )
