"""Researches in the stock admin: added, refused and scraped there."""

import pytest
from django.contrib.auth import get_user_model

from competitors.models import RedditResearch
from pipeline.models import Run

pytestmark = pytest.mark.django_db
FORM = {
    "timeframe": "month",
    "max_posts": 80,
    "min_upvotes": 20,
    "min_comments": 5,
    "relevance_threshold": 0.6,
    "signal_threshold": 0.5,
    "top_percentile": 0.2,
    "stop_at_usd": "3.00",
    "topic_context": "",
    "persona_context": "",
}


def test_a_research_is_added_once_and_scraped_by_the_action(client, research):
    client.force_login(get_user_model().objects.create_superuser("admin"))
    address = "/admin/competitors/redditresearch/"
    given = FORM | {"brand": research.brand_id, "name": "Again", "search_queries": "\n".join(research.search_queries).upper()}
    assert "asks for the same queries and subreddits" in client.post(f"{address}add/", given).content.decode()
    assert "is not the name of a subreddit" in client.post(f"{address}add/", given | {"subreddits": "no!"}).content.decode()
    assert client.post(f"{address}add/", given | {"subreddits": "r/dogs, DogAdvice"}).status_code == 302
    added = RedditResearch.objects.get(name="Again")
    assert added.subreddits == ["dogs", "DogAdvice"]
    assert client.post(f"{address}{added.pk}/change/", FORM | {"name": "Renamed", "max_posts": 90}).status_code == 302
    client.post(address, {"action": "scrape_selected", "_selected_action": [added.pk], "confirmed": "1"})
    run = Run.objects.get()
    assert (run.subject, run.subject_label, run.parameters["max_posts"]) == (added.subject, "Renamed", 90)
