"""Reddit Research: a row per research with its funnel, the button, and runs that belong to no research."""

import csv
import io
import re

import pytest
from django.urls import reverse

from competitors.models import RedditFinding, RedditResearch
from pipeline.models import DatasetStatus, Run
from tests.competitors.reddit_scrape.views.conftest import at, said, scraped, signed_in, unsaved
from tests.factories import make_brand
from tests.reddit_rows import make_finding, make_post, make_research

pytestmark = pytest.mark.django_db


def test_the_row_unfolds_to_the_funnel_of_the_last_run_and_to_what_it_asks_for(page, found):
    scraped(found, counts={"posts": 1, "kept": 1})
    run = scraped(found)
    scraped(found, status="failed", error_message="No money left.", counts={"posts": 5})
    scraped(make_research(make_brand("Southpaw"), subreddits=found.subreddits), counts={"posts": 7})  # the same subject
    response = page.get(at(found.brand))
    panel = response.context["panels"][0]
    funnel = panel.facts.funnel
    assert [(step.name, step.count, step.unmeasured, step.measured) for step in funnel.steps] == [
        ("Scraped", 103, 8, 95),
        ("Past filters", 53, 4, 49),
        ("Relevant", 31, 2, 29),
        ("Kept", 12, 1, 11),
    ]
    assert [step.why for step in funnel.steps] == [
        "103 posts and 486 comments. 6 crossposts were merged.",
        "49 had fewer than 20 upvotes or 5 comments, 1 for adults only.",
        "22 below 0.60 relevance or 0.50 signal.",
        "19 not among the best 20 % by signal.",
    ]
    body = response.content.decode()
    assert (funnel.run, funnel.doubted) == (run, False)
    assert '<rect class="tone-grey" x="49" width="4" height="10"/>' in body
    assert '<span class="strong">4 not measured.</span>' in body
    assert [(cell.text, cell.below) for cell in panel.cells] == [("103 → 12", "8 not measured"), ("2", "")]
    assert panel.below == "2 queries in r/dogs, r/AnxiousDogs and 1 more"
    for words in ("calming chews for dogs", "r/dogs, r/AnxiousDogs, r/DogAdvice", "the last month, at most 500", "$3.00"):
        assert words in body
    assert "1 saved research, 2 quotes" in body
    quotes = f"{at(found.brand, 'reddit_quotes')}?research={found.pk}"
    assert [cell.url for cell in panel.cells] == [at(found.brand, "reddit_posts", found.pk), quotes]
    assert page.get(quotes).context["sheet"].paginator.count == 2
    run.verdict = "suspicious"
    run.counts = {"posts": "many"}
    run.save()
    assert "Its result needs a check." in page.get(at(found.brand)).content.decode()
    assert page.get(at(found.brand)).context["panels"][0].facts.funnel.note == "no posts found"


def test_the_button_asks_for_what_the_form_has_and_a_viewer_has_none(page, research):
    first = page.get(at(research.brand))
    assert "Researches" in first.content.decode()
    assert first.context["panels"][0].options == []
    response = page.post(at(research.brand, "reddit_scrape", research.pk))
    run = Run.objects.get()
    assert response["Location"] == research.get_absolute_url() == f"{at(research.brand)}#research-{research.pk}"
    assert (run.subject, run.parameters["search_queries"]) == (research.subject, research.search_queries)
    assert "Reddit scrape queued!" in said(response)
    body = page.get(at(research.brand)).content.decode()
    assert f'id="research-{research.pk}" data-live' in body
    other = make_research(make_brand("Southpaw"), subreddits=research.subreddits)
    assert other.subject == research.subject
    assert not page.get(at(other.brand)).context["live_panels"]
    viewer = signed_in("viewer").get(at(other.brand)).content.decode()
    assert "Save and scrape" not in viewer
    assert "You can view, but not scrape." in viewer


def test_queries_do_not_grow_with_researches(page, found, django_assert_max_num_queries):
    for number in range(12):
        scraped(make_research(found.brand, f"Research {number}", search_queries=[f"query {number}"]))
    with django_assert_max_num_queries(38):
        page.get(at(found.brand))


def test_a_run_of_no_research_stands_under_not_saved_and_its_form_becomes_one(page, research):
    run, foreign = unsaved(research.brand), unsaved(make_brand("Southpaw"), "another brand's")
    body = page.get(at(research.brand)).content.decode()
    assert "Not saved" in body
    assert f"{at(research.brand, 'reddit_add')}?run={run.pk}" in body
    form = page.get(at(research.brand, "reddit_add"), {"run": run.pk})
    shown = form.content.decode()
    assert "dog car sick</textarea>" in shown
    assert re.search(r'value="puppy101"[^>]* checked', shown)
    assert (form.context["form"]["max_posts"].value(), form.context["form"]["top_percentile"].value()) == (120, "35")
    for nobodys in (foreign.pk, "x", "9" * 30):
        assert "another brand" not in page.get(at(research.brand, "reddit_add"), {"run": nobodys}).content.decode()
    saved = {
        **form.context["form"].initial,
        "name": "Car trips",
        "search_queries": "dog car sick",
        "top_percentile": "35",
        "do": "save",
    }
    response = page.post(at(research.brand, "reddit_add"), {name: value for name, value in saved.items() if value is not None})
    assert response.status_code == 303
    made = RedditResearch.objects.get(name="Car trips")
    assert made.subject == run.subject
    assert "Not saved" not in page.get(at(research.brand)).content.decode()
    assert DatasetStatus.objects.get(brand=research.brand, subject=run.subject).last_run == run, "it is as fresh as its runs"


def test_a_research_is_removed_without_its_runs_and_without_another_brands(found):
    manager, brand, run = signed_in("manager"), found.brand, scraped(found)
    other = make_research(make_brand("Southpaw"), subreddits=found.subreddits)
    for one in (found, other):
        DatasetStatus.objects.update_or_create(brand=one.brand, dataset_key="reddit_data", subject=one.subject)
    address = at(brand, "reddit_remove", found.pk)
    assert "6 posts and the quotes" in manager.get(address).content.decode()
    assert manager.get(at(other.brand, "reddit_remove", found.pk)).status_code == 404
    assert manager.post(address)["Location"] == at(brand)
    assert [*RedditResearch.objects.all()] == [other]
    assert DatasetStatus.objects.filter(subject=other.subject).get().brand == other.brand
    assert [row.run for row in manager.get(at(brand)).context["unsaved"]] == [run]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "543210"),
        ({"left_at": "kept"}, "5"),
        ({"left_at": "filters"}, "0"),
        ({"sort": "upvotes"}, "012345"),
        ({"q": "FIREWORKS share"}, "4"),
        ({"q": "nothing-like-this"}, ""),
        ({"left_at": "lost", "page": "9"}, "543210"),
    ],
)
def test_posts_are_filtered_by_result_and_words(page, found, query, expected):
    make_finding(make_post(make_brand("Southpaw"), "9z"), found)  # the same subject, of another brand
    response = page.get(at(found.brand, "reddit_posts", found.pk), query)
    assert "".join(finding.post.reddit_id[-1] for finding in response.context["sheet"]) == expected


def test_a_post_shows_both_scores_where_it_left_and_no_author_and_all_are_exported(page, found):
    evil = make_post(found.brand, "2evil", title="=cmd() <b>\u202eEvil", body="x" * 900, permalink="")
    make_finding(evil, found, "", relevance=None, signal=None)
    body = page.get(at(found.brand, "reddit_posts", found.pk)).content.decode()
    for words in (
        "Not among the best",
        "Not looked at yet",
        "not measured, so no filter could drop it",
        "Upvotes not known",
        "100 upvotes",
    ):
        assert words in body
    assert '<rect class="tone-grey" width="0.500" height="1"/>' in body
    assert "a_dog_owner" not in body
    assert "<b>" not in body
    assert 'href="https://www.reddit.com/comments/2evil/"' in body
    response = page.get(at(found.brand, "reddit_posts_csv", found.pk), {"q": "evil"})
    (row,) = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")))
    assert row["title"].startswith("'=cmd()")
    assert (row["reddit_id"], row["relevance"], len(row["body"])) == ("2evil", "", 900)
    everything = page.get(at(found.brand, "reddit_posts_csv", found.pk))
    assert len(everything.content.splitlines()) == 1 + RedditFinding.objects.count()
    assert page.get(at(make_brand("Southpaw"), "reddit_posts", found.pk)).status_code == 404


def test_all_brands_are_listed_with_their_researches(page, found):
    make_brand("Southpaw")
    rows = {brand.name: (brand.researches, brand.quotes) for brand in page.get(reverse("reddit_brands")).context["brands"]}
    assert rows == {"Northpaw": (1, 2), "Southpaw": (0, 0)}
