"""Personas: add, rename and remove them, and the quotes that they collected."""

import pytest
from django.utils import timezone

from competitors.models import Persona, PersonaQuote, RedditQuote
from tests.factories import make_brand, make_person
from tests.reddit_rows import make_persona, make_post, make_quote, make_research

pytestmark = pytest.mark.django_db
ADDRESS = "/reddit/northpaw/personas/"


@pytest.fixture
def manager(client, brand):
    client.force_login(make_person("manager", "manager"))
    return client


def test_a_persona_is_added_renamed_and_removed_and_its_quotes_stay(manager, brand):
    assert b"No personas yet." in manager.get(ADDRESS).content
    assert (
        "Added <bdi>Worried &lt;owner&gt;</bdi>"
        in manager.post(ADDRESS, {"name": " Worried <owner> "}, follow=True).content.decode()
    )
    persona = Persona.objects.get()
    assert persona.brand == brand and persona.name == "Worried <owner>"
    for name in ("Worried <owner>", "", "\u200b", "x" * 121):
        assert manager.post(ADDRESS, {"name": name}).status_code == 422
    one = f"{ADDRESS}{persona.pk}/"
    assert manager.post(f"{one}edit/", {"name": "Worried <owner>"}).status_code == 303  # its own name
    assert manager.post(f"{one}edit/", {"name": "First dog"}).status_code == 303
    make_persona(brand, "Second dog")
    assert manager.post(f"{one}edit/", {"name": "Second dog"}).status_code == 422
    PersonaQuote.objects.create(persona=persona, quote=make_quote(make_post(brand)))
    research = make_research(brand, persona=persona)
    asked = manager.get(f"{one}remove/").content.decode()
    assert "collection of 1 quote" in asked and research.name in asked and Persona.objects.count() == 2
    assert manager.post(f"{one}remove/").status_code == 303
    research.refresh_from_db()
    assert research.persona is None and RedditQuote.objects.exists() and not PersonaQuote.objects.exists()


def test_the_page_of_a_persona_has_its_quotes_only_and_they_can_be_taken_out(manager, brand):
    persona, other = make_persona(brand), make_persona(brand, "First dog")
    post = make_post(brand)
    hers, his = make_quote(post, "I hate the noise of all this"), make_quote(post, "I want it to be quiet again")
    PersonaQuote.objects.create(persona=persona, quote=hers)
    PersonaQuote.objects.create(persona=other, quote=his)
    one = f"{ADDRESS}{persona.pk}/"
    page = manager.get(one)
    assert [card.quote for card in page.context["cards"]] == [hers]
    assert b"I hate the noise" in manager.get(f"{one}quotes.csv").content
    assert b"No quotes match" in manager.get(f"{one}?category=pain_point").content
    answer = manager.post(f"{one}take-out/", {"quote": [hers.pk, his.pk, "x"]}, follow=True)
    assert "Took out 1 quote" in answer.content.decode()
    assert "Nothing was ticked" in manager.post(f"{one}take-out/", follow=True).content.decode()
    assert PersonaQuote.objects.get().quote == his and RedditQuote.objects.count() == 2


def test_an_archived_brand_gets_no_persona_and_one_of_another_brand_is_not_found(manager, brand):
    foreign = make_persona(make_brand("Southpaw"))
    for address in ("", "edit/", "remove/", "quotes.csv"):
        assert manager.get(f"{ADDRESS}{foreign.pk}/{address}").status_code == 404
    brand.archived_at = timezone.now()
    brand.save()
    assert manager.post(ADDRESS, {"name": "Late"}).status_code == 403
    assert b"Add a persona" not in manager.get(ADDRESS).content and Persona.objects.count() == 1
