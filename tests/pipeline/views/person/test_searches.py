"""Many searches at once: some wait, the others are refused, and pages without a search open as always."""

import pytest

from pipeline.views.person import searches
from tests.factories import make_person

pytestmark = pytest.mark.django_db
SEARCHES = ["/pipeline/runs/?q=a", "/search/?q=ab", "/pipeline/runs.csv?q=a"]


@pytest.fixture
def ann(client, monkeypatch):
    monkeypatch.setattr(searches.TURNS, "_seconds", 0)
    person = make_person("ann", "manager")
    client.force_login(person)
    return person


@pytest.mark.parametrize("address", SEARCHES)
def test_a_search_while_another_of_the_same_person_runs_is_refused_with_a_time_to_try_again(client, ann, address):
    with searches.TURNS.turn(ann.pk):
        answer = client.get(address)
        assert (answer.status_code, answer["Retry-After"]) == (429, "5")
        assert "Load this page again in a few seconds." in answer.content.decode()
    assert client.get(address).status_code == 200


def test_searches_of_others_leave_one_no_turn_either(client, ann):
    with searches.TURNS.turn("ben"), searches.TURNS.turn("cay"):
        assert client.get(SEARCHES[0]).status_code == 429


def test_pages_without_a_search_need_no_turn(client, ann):
    with searches.TURNS.turn(ann.pk), searches.TURNS.turn("ben"):
        assert [client.get(page).status_code for page in ("/", "/pipeline/runs/", "/pipeline/runs/?q=")] == [200, 200, 200]
