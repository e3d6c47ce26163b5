"""The search in the bar: what it finds, for whom, and where it leads."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from competitors.models import AdPage, CompetitorAd, LandingPage, TemplateCandidate
from pipeline import api
from tests.factories import make_brand, make_candidate, make_competitor, make_listing, make_person, make_user
from tests.performance_rows import make_account, make_brand_ad
from tests.reddit_rows import make_persona, make_research

pytestmark = pytest.mark.django_db
AD = "100000000000001"


def signed_in(role, *brands):
    client = Client()
    client.force_login(make_person(f"{role} of {len(brands)}", role, *brands))
    return client


def ask(client, words):
    return client.get(reverse("search"), {"q": words})


def found(client, words):
    """By kind the titles of what was found; or where the search leads at once."""
    answer = ask(client, words)
    if answer.status_code == 302:
        return answer["Location"]
    return {group.label: [row.title for row in rows] for group, rows, _ in answer.context["groups"]}


@pytest.fixture
def world():
    """Two brands with the same rows."""
    worlds = []
    for name in ("Northpaw", "Southpaw"):
        brand = make_brand(name)
        listing = make_listing(make_competitor(brand, f"Bärkwell {name}"), product_title=f"Calming chews {name}")
        seen = {"first_seen_at": timezone.now(), "last_seen_at": timezone.now()}
        page = LandingPage.objects.create(competitor=listing.competitor, host="www.barkwell.example", path="/", **seen)
        shown = {"ad_archive_id": AD, "page_name": "Würdig & Co", "landing_page": page}
        CompetitorAd.objects.create(competitor=listing.competitor, **shown, **seen)
        for page_name in ("Würdig & Co", f"Bärkwell {name}"):
            AdPage.objects.create(competitor=listing.competitor, name=page_name)
        account = make_account(brand, name=f"{name} account")
        make_brand_ad(account, "77001")
        make_research(brand, name="Fireworks")
        make_persona(brand, name="Worried owner")
        worlds.append((brand, listing, api.queue_one_time_job(brand.pk, "toy").run))
    return worlds


def test_every_kind_is_found_by_who_may_see_it_and_one_exact_name_is_opened_at_once(world):
    (own, listing, run), (_, _, foreign_run) = world
    one, every = signed_in("viewer", own), signed_in("viewer")
    names = ["Bärkwell Northpaw", "Bärkwell Southpaw"]
    kinds = ("Competitors", "Pages that advertise")
    assert found(one, "bark") == dict.fromkeys(kinds, names[:1]), "case and accents make no difference"
    assert found(every, "bark") == dict.fromkeys(kinds, names)
    assert found(one, "bärkwell northpaw") == listing.competitor.get_absolute_url(), "not its page, which has the same name"
    [page] = ask(one, "wurdig & co").context["groups"][0][1]
    assert one.get(page.url).context["sheet"].paginator.count == 1
    assert found(one, "northpaw") == reverse("brand_competitors", args=[own.slug])
    assert found(one, "southpaw") == {}
    assert found(one, "B09XK4T2LM") == listing.get_absolute_url()
    assert list(found(every, "b09xk4t2lm")) == ["Products"]
    assert found(one, "calming") == {"Products": ["B09XK4T2LM (amazon.com) Calming chews Northpaw"]}
    assert found(one, "barkwell.example") == {"Landing pages": ["www.barkwell.example/"]}
    address = found(one, AD)
    assert address == f"{reverse('ad_list', args=[own.slug, listing.competitor_id])}?q={AD}"
    assert one.get(address).context["sheet"].paginator.count == 1
    assert found(one, "77001") == reverse("performance_ad", args=[own.slug, "77001"])
    assert found(one, "fireworks").endswith(f"#research-{own.reddit_researches.get().pk}")
    assert found(one, "worried") == {"Personas": ["Worried owner"]}
    assert found(one, "Toy") == f"{reverse('runs')}?job_type=toy"
    for words in (f"run {run.pk}", f"#{run.pk}", f" {run.pk} ", f"RUN #{run.pk}"):
        assert found(one, words) == run.get_absolute_url(), words
    assert found(one, f"run {foreign_run.pk}") == {}
    assert found(every, f"run {foreign_run.pk}") == foreign_run.get_absolute_url()


def test_templates_are_found_by_who_sees_what_is_of_no_brand(world):
    (own, _, _), _ = world
    TemplateCandidate.objects.filter(pk=make_candidate(title="Ends Sunday").pk).update(name="Countdown")
    TemplateCandidate.objects.update(status="approved", reviewed_at=timezone.now())
    one = TemplateCandidate.objects.get()
    assert found(signed_in("viewer"), "countdown") == one.get_absolute_url()
    assert found(signed_in("viewer", own), "countdown") == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Type a part of a name, a whole id, or the number of a run."),
        ("   ", "Type a part of a name"),
        ("x", "Type at least 2 characters."),
        ("x" * 101, "Type at most 100 characters."),
        ("a\x00b", "Null characters are not allowed."),
        ("9" * 40, "Nothing of your brands is named so."),
        ("<b>%_'", "Nothing of your brands is named so."),
    ],
)
def test_words_that_find_nothing_are_told_why(world, words, said):
    page = signed_in("viewer")
    answer = ask(page, words)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert "<b>" not in answer.content.decode()


def test_of_many_rows_the_first_are_shown_by_as_many_queries_and_the_exact_one_is_among_them(world):
    (own, _, _), _ = world
    page = signed_in("viewer")
    with CaptureQueriesContext(connection) as few:
        ask(page, "paw")
    for number in range(20):
        make_competitor(own, f"A{number:02} of Northpaw Ltd")
    make_competitor(own, "Paw")
    with CaptureQueriesContext(connection) as many:
        answer = ask(page, "paw ")
    assert len(many) <= len(few)
    assert answer["Location"] == own.competitors.get(name="Paw").get_absolute_url()
    shown = ask(page, "ltd")
    assert len(shown.context["groups"][0][1]) == 8
    assert "There are more." in shown.content.decode()
    assert "All competitors" in shown.content.decode()


def test_who_may_see_nothing_finds_nothing_and_has_no_field(world):
    client = Client()
    client.force_login(make_user("new"))
    assert found(client, "northpaw") == {}
    assert "bar__search" not in ask(client, "northpaw").content.decode()
