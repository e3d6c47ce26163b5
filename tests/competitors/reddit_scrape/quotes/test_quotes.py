"""The list of quotes: what it shows and exports, its filters, and copying quotes to a persona."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.models import LeftAt, PersonaQuote, RedditFinding, RedditQuote
from competitors.scoring import Scorer
from tests.factories import make_brand, make_person
from tests.reddit_rows import make_comment, make_finding, make_persona, make_post, make_quote, make_research

pytestmark = pytest.mark.django_db
Category = RedditQuote.Category
ADDRESS = "/reddit/northpaw/quotes/"


@pytest.fixture
def operator(client, brand):
    client.force_login(make_person("operator", "operator"))
    return client


@pytest.fixture
def quotes(brand):
    """Of a post with figures, of a comment without, and of a post that another research found."""
    research, other = make_research(brand), make_research(brand, "Old dogs", search_queries=["old dog"])
    text = "I am tired of fireworks. My dog shakes for 3 hours and nothing we say reaches him."
    score = Scorer("dogs afraid of fireworks", [text, "other"]).score(text)
    told = make_post(brand, "1aaa", title="Fireworks <again>", created_at=timezone.now() - timedelta(days=3))
    old = make_post(brand, "1bbb", score=None, num_comments=None, title="Stiff joints", created_at=None, permalink="")
    make_finding(told, research)
    make_finding(old, other)
    make_finding(old, research, LeftAt.SHARE)  # found, but not kept: none of its quotes
    comment = make_comment(told, score=None)
    return {
        "pain": make_quote(
            told,
            "My dog shakes for 3 hours and nothing we say reaches him.",
            category=Category.PAIN_POINT,
            relevance=score.relevance,
            signal=score.signal,
            why=score.why | {"phrase": "dog shakes"},
        ),
        "failed": make_quote(told, "The vest was a waste of money.", comment=comment, signal=0.4, relevance=0.3),
        "wish": make_quote(old, "=I just want her to walk without pain.", category=Category.DESIRED_OUTCOME),
    }


def shown(answer) -> list[str]:
    return [card.quote.text for card in answer.context["cards"]]


def test_quotes_show_scores_source_and_why_they_scored_so(operator, quotes):
    answer = operator.get(ADDRESS)
    page = answer.content.decode()
    assert shown(answer) == [quotes[name].text for name in ("pain", "failed", "wish")]  # highest signal first, unknown last
    for part in (
        f"{quotes['pain'].signal:.2f}</span> <svg",
        f"Relevance {quotes['pain'].relevance:.2f}: words its post shares with your topic",
        '<bdi>fireworks</bdi></th><td class="num"',
        "first person (0.",
        "negative tone of −0.",
        "Filed under Pain points for “<bdi>dog shakes</bdi>”",
        'href="https://www.reddit.com/r/dogs/comments/1aaa/fireworks_again/" rel="noreferrer"',
        "<bdi>Fireworks &lt;again&gt;</bdi>",
        "120 upvotes · 34 comments",
        'href="https://www.reddit.com/r/dogs/comments/1aaa/fireworks_again/c1/"',
        "Upvotes not known · Comments not known",
        'href="https://www.reddit.com/comments/1bbb/"',
        "Signal was not scored.",
    ):
        assert part in page, part
    assert "a_dog_owner" not in page  # nobody's name


def test_posts_tell_why_they_scored_so_too(operator, quotes, brand):
    research = brand.reddit_researches.get(name="Thunder and fireworks")
    research_posts = f"/reddit/northpaw/{research.pk}/posts/"
    assert b"Why it scored so" not in operator.get(research_posts).content  # nothing is stored
    RedditFinding.objects.filter(subject=research.subject, left_at=LeftAt.KEPT).update(why=quotes["pain"].why)
    page = operator.get(research_posts).content.decode()
    assert "words it shares with your topic" in page and page.count("Why it scored so") == 1 and "Filed under" not in page


def test_filters_tabs_order_and_wrong_values(operator, quotes, brand):
    research = brand.reddit_researches.get(name="Thunder and fireworks")
    assert shown(operator.get(f"{ADDRESS}?research={research.pk}")) == [quotes["pain"].text, quotes["failed"].text]
    answer = operator.get(f"{ADDRESS}?category=desired_outcome")
    assert shown(answer) == [quotes["wish"].text]
    assert [(tab["label"], tab["count"]) for tab in answer.context["filter"].tabs] == [
        ("All", 3),
        ("Pain points", 1),
        ("Desired outcomes", 1),
        ("Buying objections", 0),
        ("Failed solutions", 1),
        ("Desired features", 0),
        ("Familiar solutions", 0),
    ]
    assert shown(operator.get(f"{ADDRESS}?q=WÀSTE+money")) == [quotes["failed"].text]
    assert shown(operator.get(f"{ADDRESS}?sort=newest"))[0] == quotes["failed"].text
    assert shown(operator.get(f"{ADDRESS}?sort=newest"))[-1] == quotes["wish"].text  # nobody knows when
    foreign = make_research(make_brand("Southpaw"))
    for wrong in (f"research={foreign.pk}", "research=x", "category=none", "sort=up", "page=9", "what=1"):
        answer = operator.get(f"{ADDRESS}?{wrong}")
        assert answer.status_code == 200 and len(answer.context["filter"].warnings) == 1, wrong
        assert len(shown(answer)) == 3
    assert b"No quotes match" in operator.get(f"{ADDRESS}?q=zebra").content


def test_a_page_reads_its_own_rows_only_and_takes_as_many_queries_for_many_quotes(
    operator, quotes, django_assert_max_num_queries, brand
):
    post = make_post(brand, "1ccc")
    for number in range(60):
        make_quote(post, f"I hate number {number} of all these things", signal=0.9 - number / 100, category=Category.PAIN_POINT)
    with django_assert_max_num_queries(12):
        answer = operator.get(f"{ADDRESS}?page=2")
    assert len(shown(answer)) == 25 and "Page 2 of 3" in answer.content.decode()


def test_the_file_has_all_that_match_and_no_formula(operator, quotes):
    answer = operator.get("/reddit/northpaw/quotes.csv?sort=newest")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    page = operator.get(f"{ADDRESS}?sort=newest").content.decode()
    assert [row["address"] in page for row in rows] == [True] * 3, "the same addresses as on the page"
    assert [row["said_in"] for row in rows] == ["comment", "post", "post"]
    assert rows[1]["category"] == "Pain points" and rows[1]["phrase"] == "dog shakes" and rows[1]["upvotes"] == "120"
    assert [row["written_at"] == "" for row in rows] == [False, False, True] and rows[0]["upvotes"] == ""
    assert rows[2]["quote"].startswith("'=") and rows[2]["upvotes"] == rows[2]["signal"] == ""


def test_ticked_and_new_quotes_are_copied_to_a_persona_once(operator, quotes, brand):
    persona, foreign = make_persona(brand), make_persona(make_brand("Southpaw"))
    stranger = make_quote(make_post(foreign.brand), "I hate that this quote is of another brand")

    def copy(**data):
        return operator.post(f"{ADDRESS}copy/", {"persona": persona.pk, **data}, follow=True).content.decode()

    assert "Copied 1 quote to" in copy(quote=[quotes["pain"].pk, stranger.pk, "x", "9" * 30])
    assert "Copied 1 quote to" in copy(all="1", category="failed_solution")
    assert "Copied 1 quote to" in copy(all="1")  # only what it did not have
    assert "Nothing to copy" in copy(all="1") and "Nothing to copy" in copy()
    assert {row.quote for row in PersonaQuote.objects.filter(persona=persona)} == set(quotes.values())
    for wrong in ({"persona": foreign.pk}, {"persona": ""}, {"persona": "9" * 30}):
        assert "Choose a persona first" in copy(**wrong, all="1")
    assert PersonaQuote.objects.count() == 3
    brand.archived_at = timezone.now()
    brand.save()
    assert "Copied" not in copy(quote=[quotes["pain"].pk])


def test_a_brand_without_quotes_leads_to_its_researches(operator, brand):
    page = operator.get(ADDRESS).content.decode()
    assert "No quotes yet." in page and 'href="/reddit/northpaw/"' in page and "Export" not in page
