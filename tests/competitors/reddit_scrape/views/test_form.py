"""The form of a research: what it saves, what it refuses and where it says so, its price, and what an edit takes along."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from competitors.models import BrandSubreddit, RedditResearch
from pipeline import api
from pipeline.models import DatasetStatus, Job, Run
from tests.competitors import runs
from tests.competitors.reddit_scrape.views.conftest import at, said, scraped, signed_in, typed
from tests.factories import make_brand
from tests.reddit_rows import make_persona, make_research

pytestmark = pytest.mark.django_db


def errors(response):
    return {name: " ".join(map(str, wrong)) for name, wrong in response.context["form"].errors.items()}


def test_everything_of_the_form_is_saved_and_scraped_if_asked(page, brand):
    persona = make_persona(brand)
    sent = typed(subreddits=["dogs", "r/Dogs", "AskVet"], add="/r/puppy101, https://www.reddit.com/r/DogAdvice/comments/1/")
    sent |= {"persona": persona.pk, "auto_sync_to_persona": "on", "persona_context": "First dog"}
    response = page.post(at(brand, "reddit_add"), sent)
    research = RedditResearch.objects.get()
    assert response["Location"] == research.get_absolute_url()
    assert "Saved Fear of the vet." in re.sub("</?bdi>", "", said(response))
    assert not Run.objects.exists()
    asked = research.parameters()
    assert {query.casefold() for query in asked.pop("search_queries")} == {"dog vet fear", "muzzle vet"}
    assert len(research.search_queries) == 2
    assert asked == {
        "subreddits": ["Dogs", "AskVet", "puppy101", "DogAdvice"],
        "timeframe": "year",
        "max_posts": 200,
        "min_upvotes": 10,
        "min_comments": 3,
        "relevance_threshold": 0.55,
        "signal_threshold": 0.45,
        "top_percentile": 0.125,
        "topic_context": "Dogs that panic at the vet",
        "persona_context": "First dog",
        "persona_id": persona.pk,
        "auto_sync_to_persona": True,
        "stop_at_usd": "2.50",
    }
    response = page.post(at(brand, "reddit_edit", research.pk), typed(name="Vet", do="scrape"))
    run = Run.objects.get()
    research.refresh_from_db()
    assert (run.subject, research.name, research.persona, research.subreddits) == (research.subject, "Vet", None, [])
    assert "Reddit scrape queued!" in said(response)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "\u200b"}, "name", "can be seen"),
        ({"name": "thunder AND fireworks"}, "name", "There already is a research called"),
        ({"search_queries": " \n "}, "search_queries", "required"),
        ({"search_queries": "x" * 5000}, "search_queries", ""),
        ({"add": "dogs, not a sub!"}, "add", "is not the name of a subreddit"),
        ({"subreddits": ["<script>"]}, "subreddits", "is not the name of a subreddit"),
        ({"timeframe": "century"}, "timeframe", "not one of the available"),
        ({"max_posts": "9"}, "max_posts", "greater than or equal to 10"),
        ({"max_posts": "9" * 40}, "max_posts", "less than or equal to 5000"),
        ({"min_upvotes": "-1"}, "min_upvotes", "greater than or equal to 0"),
        ({"min_upvotes": "9" * 25}, "min_upvotes", ""),
        ({"relevance_threshold": "nan"}, "relevance_threshold", "number"),
        ({"signal_threshold": "1.5"}, "signal_threshold", "less than or equal to 1"),
        ({"top_percentile": "0"}, "top_percentile", "greater than or equal to 1"),
        ({"top_percentile": ""}, "top_percentile", "required"),
        ({"stop_at_usd": "0.01"}, "stop_at_usd", "greater than or equal to"),
        ({"auto_sync_to_persona": "on"}, "persona", "Choose the persona"),
        ({"persona": "999999"}, "persona", "not one of the available"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(page, research, changes, field, words):
    response = page.post(at(research.brand, "reddit_add"), typed(do="scrape", **changes))
    assert response.status_code == 422
    assert errors(response).keys() == {field}
    assert words in errors(response)[field]
    body = response.content.decode()
    assert "Dogs that panic at the vet" in body
    assert "<script>" not in body
    assert RedditResearch.objects.count() == 1
    assert not Run.objects.exists()


def test_the_same_queries_and_subreddits_are_saved_once_in_a_brand(page, research):
    asked = {"search_queries": "DOG afraid  of fireworks\ncalming chews for dogs", "add": "dogadvice dogs r/anxiousdogs"}
    response = page.post(at(research.brand, "reddit_add"), typed(**asked))
    address = at(research.brand, "reddit_edit", research.pk)
    assert f'<a href="{address}"><bdi>Thunder and fireworks</bdi></a> asks for the same' in response.content.decode()
    same = page.post(address, typed(**asked, name="Renamed"))
    assert same.status_code == 303, "it may stay what it is"
    other = make_brand("Southpaw")
    assert page.post(at(other, "reddit_add"), typed(**asked)).status_code == 303


def test_add_and_the_price_save_nothing_and_say_what_the_typed_form_costs(page, brand):
    BrandSubreddit.objects.create(brand=brand, name="PuppyHelp")
    make_research(brand, subreddits=["AskVet"])
    added = page.post(at(brand, "reddit_add"), {"do": "add", "add": "r/dogs", "search_queries": "typed"})
    body = added.content.decode()
    assert added.status_code == 200
    boxes = re.findall(r'name="subreddits" value="(\w+)"[^>]*?( checked)?>', body)
    assert boxes == [("AskVet", ""), ("dogs", " checked"), ("PuppyHelp", "")]
    assert 'name="add" value' not in body
    assert "typed</textarea>" in body
    small, large = (
        page.post(at(brand, "reddit_add"), typed(do="price", name="", max_posts=posts, stop_at_usd="40")).context["estimate"]
        for posts in ("100", "5000")
    )
    assert 0 < small.cost_usd < large.cost_usd <= Decimal(40)
    wrong = page.post(at(brand, "reddit_add"), typed(do="price", max_posts="x"))
    assert (wrong.status_code, wrong.context["estimate"], errors(wrong).keys()) == (422, None, {"max_posts"})
    assert RedditResearch.objects.count() == 1
    piece = page.post(at(brand, "reddit_add"), typed(name="", do=""), headers={"HX-Request": "true"})
    assert piece.content.decode().strip().startswith("About")
    assert f"≈ ${page.get(at(brand)).context['estimate'].cost_usd:,.2f}" in page.get(at(brand)).content.decode()


def test_a_schedule_goes_with_its_research_and_asks_for_what_the_form_says(page, research):
    brand, before = research.brand, research.subject
    plan = api.ensure_recurring_job(brand.pk, "reddit_scrape", "0 6 * * 1", research.parameters(), max_retries=2)
    other = make_research(make_brand("Southpaw"), subreddits=research.subreddits)
    others = api.ensure_recurring_job(other.brand.pk, "reddit_scrape", "0 6 * * 1", other.parameters())
    asked = {"search_queries": "\n".join(research.search_queries), "subreddits": research.subreddits}
    page.post(at(brand, "reddit_edit", research.pk), typed(**asked, max_posts="777"))
    plan.refresh_from_db()
    assert (plan.status, plan.parameters["max_posts"]) == ("active", 777)
    scraped(research)
    DatasetStatus.objects.create(brand=brand, dataset_key="reddit_data", subject=before)
    page.post(at(brand, "reddit_edit", research.pk), typed(search_queries="something else"))
    research.refresh_from_db()
    plan.refresh_from_db()
    moved = Job.objects.get(brand=brand, subject=research.subject)
    assert (plan.status, moved.status, moved.cron_expression, moved.max_retries) == ("archived", "active", "0 6 * * 1", 2)
    assert moved.parameters["search_queries"] == ["something else"]
    others.refresh_from_db()
    assert others.status == "active"
    assert not DatasetStatus.objects.filter(brand=brand, subject=before).exists()
    page.post(at(brand, "reddit_edit", research.pk), typed(**asked))
    assert DatasetStatus.objects.get(brand=brand, subject=before).last_success_at, "its history is its own again"


def test_queries_stay_while_a_run_is_at_them(page, research):
    run = api.queue_one_time_job(research.brand_id, "reddit_scrape", research.parameters()).run
    address = at(research.brand, "reddit_edit", research.pk)
    response = page.post(address, typed(search_queries="something else"))
    assert f"cannot be changed while run {run.pk} works on them" in errors(response)["search_queries"]
    research.refresh_from_db()
    assert research.search_queries != ["something else"]
    same = {"search_queries": "\n".join(research.search_queries), "subreddits": research.subreddits}
    assert page.post(address, typed(**same)).status_code == 303, "the other fields are for the next run"
    runs.ended(run)
    assert page.post(address, typed(search_queries="something else")).status_code == 303


def test_an_archived_brand_takes_no_research_and_who_may_not_scrape_saves_only(page, person, brand):
    api.archive_brand(brand.pk, None)
    assert "is archived" in errors(page.post(at(brand, "reddit_add"), typed()))["__all__"]
    api.restore_brand(brand.pk, None)
    client = Client()
    client.force_login(person("Ada", "view_redditresearch", "add_redditresearch"))
    response = client.post(at(brand, "reddit_add"), typed(do="scrape"))
    assert "Only operators can scrape Reddit" in errors(response)["__all__"]
    assert client.post(at(brand, "reddit_add"), typed()).status_code == 303


def test_a_brands_subreddits_are_added_and_removed_on_its_page(brand, page):
    manager, address = signed_in("manager"), at(brand, "brand_subreddits")
    response = manager.post(address, {"subreddits": "r/dogs, Dogs puppy101"})
    assert (response["Location"], said(response)) == (f"{at(brand, 'brand_edit')}#subreddits", "Added r/Dogs, r/puppy101.")
    wrong = manager.post(address, {"subreddits": "dogs, <b>"})
    assert wrong.status_code == 422
    assert "dogs, &lt;b&gt;" in wrong.content.decode()
    assert "Error: " in wrong.content.decode()
    assert "already" in said(manager.post(address, {"subreddits": "DOGS"}))
    assert [str(one) for one in brand.subreddits.all()] == ["r/Dogs", "r/puppy101"]
    gone = brand.subreddits.first()
    assert manager.post(at(make_brand("Southpaw"), "brand_subreddit_remove", gone.pk)).status_code == 404
    manager.post(at(brand, "brand_subreddit_remove", gone.pk))
    assert [str(one) for one in brand.subreddits.all()] == ["r/puppy101"]
    assert "r/puppy101" in manager.get(at(brand, "brand_edit")).content.decode()
    assert page.post(address, {"subreddits": "dogs"}).status_code == 403
