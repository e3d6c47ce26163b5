"""The tabs Pending, Library, Rejected and Archived, and one candidate: what they show, and what their buttons do."""

import csv
from io import StringIO

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from competitors.models import AdMedia, TemplateCandidate, TemplateCategory, TemplateNiche
from pipeline.models import Run
from pipeline.people import limit_to
from tests.factories import make_brand, make_candidate, make_media, make_person

pytestmark = pytest.mark.django_db
PENDING, DECIDE = "/templates/", "/templates/decisions/"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def page():
    return signed_in("operator")


def signed_in(role, *brands):
    client = Client()
    person = make_person(f"the {role}{'*' * len(brands)}", role)
    if brands:
        limit_to(person, brands)
    client.force_login(person)
    return client


def states():
    return list(TemplateCandidate.objects.order_by("pk").values_list("status", flat=True))


def test_pending_shows_one_large_and_the_others_as_cards_with_their_pictures(page, django_assert_max_num_queries):
    rows = [make_candidate(f"100000{n}", title=f"Ad {n}", started_on=f"2026-0{n + 1}-01", best_position=9 - n) for n in range(5)]
    make_candidate("2000001", media=make_media(b"video", "video/mp4"), title="Moving", started_on=None)
    AdMedia.objects.create(library_ad=rows[0].library_ad, role="picture", position=4, status="unavailable", reason="gone")
    with django_assert_max_num_queries(20):
        body = page.get(PENDING).content.decode()
    assert body.index("Ad 0") < body.index("Ad 1") < body.index("Moving")  # longest running first, unknown last
    assert "6 pending" in body
    assert f'src="/templates/{rows[0].pk}/media/"' in body
    assert "no longer there (1)" in body
    assert '<video preload="none"' in body
    assert 'name="bulk" value="reject"' in body
    by_place = page.get(f"{PENDING}?sort=place").content.decode()
    assert by_place.index("Ad 4") < by_place.index("Ad 3")
    opened = page.get(f"{PENDING}?open={rows[3].pk}").content.decode()
    assert '<h2 id="desk-h" tabindex="-1"><bdi>Ad 3</bdi>' in opened
    assert "There is no filter “x”" in page.get(f"{PENDING}?x=1&open=lost").content.decode()
    file = page.get(f"/templates/{rows[0].pk}/media/")
    assert (file["Content-Type"], b"".join(file.streaming_content)) == ("image/gif", b"1000000")
    assert page.get("/templates/99/media/").status_code == 404


def test_empty_tabs_say_what_to_do(page):
    assert "Nothing waits for review." in page.get(PENDING).content.decode()
    assert "Nothing is approved yet." in page.get("/templates/approved/").content.decode()


def test_a_cards_button_decides_about_it_alone_and_offers_to_undo_it(page):
    rows = [make_candidate(f"100000{n}", title=f"Ad {n}") for n in range(3)]
    answer = page.post(DECIDE, {"reject": rows[1].pk, "pick": [rows[0].pk], "next": f"{PENDING}?sort=place"}, follow=True)
    assert answer.redirect_chain == [(f"{PENDING}?sort=place", 303)]
    assert states() == ["pending", "rejected", "pending"]
    body = answer.content.decode()
    assert "Rejected “Ad 1”." in body
    batch = TemplateCandidate.objects.get(pk=rows[1].pk).decisions.get().batch
    assert f"/templates/undo/{batch}/" in body
    undone = page.post(f"/templates/undo/{batch}/", follow=True).content.decode()
    assert "Undone: “Ad 1” as before." in undone
    assert f"/templates/undo/{batch}/" not in undone
    assert states() == ["pending"] * 3
    assert "was undone already" in page.post(f"/templates/undo/{batch}/", follow=True).content.decode()


@pytest.mark.parametrize(("bulk", "became"), [("approve", "approved"), ("reject", "rejected"), ("archive", "archived")])
def test_the_bar_decides_about_all_that_is_ticked_and_one_undo_brings_them_back(page, bulk, became):
    rows = [make_candidate(f"100000{n}", title=f"Ad {n}") for n in range(3)]
    answer = page.post(DECIDE, {"bulk": bulk, "pick": [row.pk for row in rows[:2]]}, follow=True).content.decode()
    assert states() == [became, became, "pending"]
    assert "2 ads." in answer
    page.post(f"/templates/undo/{rows[0].decisions.get().batch}/")
    assert states() == ["pending"] * 3


@pytest.mark.parametrize(
    "data", [{"bulk": "approve"}, {"bulk": "lost", "pick": ["1"]}, {}, {"approve": "²"}, {"reject": "1" * 40}]
)
def test_nothing_ticked_or_nonsense_changes_nothing(page, data):
    make_candidate()
    assert "Nothing was ticked" in page.post(DECIDE, data, follow=True).content.decode()
    assert states() == ["pending"]


def test_the_second_of_two_people_is_told(page):
    row = make_candidate(title="Ends Sunday")
    signed_in("manager").post(DECIDE, {"archive": row.pk})
    body = page.post(DECIDE, {"approve": row.pk}, follow=True).content.decode()
    assert "“Ends Sunday” is archived already by the manager. Nothing was changed." in body
    assert states() == ["archived"]


def test_the_desk_saves_what_the_template_is_filed_under(page):
    category, niche = TemplateCategory.objects.create(name="Offer"), TemplateNiche.objects.create(name="Pets")
    row = make_candidate(title="Ends Sunday")
    sent = {"name": "One line", "category": category.pk, "niche": niche.pk, "target_sex": "men", "awareness": "4", "version": "0"}
    here = row.get_absolute_url()
    wrong = page.post(here, sent | {"awareness": "9", "approve": row.pk})
    assert wrong.status_code == 422
    assert "Not saved. Fix 1 field." in wrong.content.decode()
    answer = page.post(here, sent | {"approve": row.pk, "was": "pending", "next": PENDING})
    assert (answer.status_code, answer["Location"]) == (303, PENDING)
    row.refresh_from_db()
    assert (row.status, row.name, row.category, row.niche, row.target_sex, row.awareness) == (
        "approved",
        "One line",
        category,
        niche,
        "men",
        4,
    )
    stale = page.post(here, sent | {"name": "Late", "save": row.pk, "was": "approved"}, follow=True).content.decode()
    assert "was changed by the operator just now" in stale
    page.post(here, sent | {"name": "Better", "save": row.pk, "was": "approved", "version": "1"})
    page.post(here, {"put_back": row.pk, "was": "approved", "version": "2"})
    row.refresh_from_db()
    assert (row.status, row.name, row.reviewed_at) == ("pending", "Better", None)
    body = page.get(here).content.decode()
    assert body.count("by <bdi>the operator</bdi>") == 3
    assert body.count(">Undo<") + body.count("Undo</button>") >= 1


def test_the_library_filters_counts_and_exports(page):
    category = TemplateCategory.objects.create(name="Offer")
    filed = [{"name": "=Offer for cats", "category": category, "awareness": 2}, {"name": "Quiet", "target_sex": "women"}]
    rows = [make_candidate(f"100000{n}", title="Ad", body="Zebra" if n else "Dog") for n in range(2)]
    for row, one in zip(rows, filed, strict=True):
        page.post(row.get_absolute_url(), {**{k: getattr(v, "pk", v) for k, v in one.items()}, "approve": 1, "version": 0})
    found = {
        f"category={category.pk}": [True, False],
        "awareness=2": [True, False],
        "target_sex=women": [False, True],
        "q=zebra": [False, True],
        "q=OFFER+cats": [True, False],
        "kind=video": [False, False],
        "niche=77&category=x": [True, True],  # wrong values are named and ignored
        "sort=name": [True, True],
    }
    for query, shown in found.items():
        body = page.get(f"/templates/approved/?{query}").content.decode()
        assert ["=Offer for cats" in body, ">Quiet<" in body] == shown, query
    body = page.get("/templates/approved/?niche=77").content.decode()
    assert "Niche: “77” is not one of the choices. It was ignored." in body
    answer = page.get("/templates/approved.csv?awareness=2")
    lines = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [(line["name"], line["category"], line["awareness"], line["ad_archive_id"]) for line in lines] == [
        ("'=Offer for cats", "Offer", "2", "1000000")
    ]
    assert "No ads match" not in body


def test_viewers_see_and_do_not_decide_and_people_of_some_brands_see_nothing(page):
    row = make_candidate(title="Ends Sunday")
    viewer = signed_in("viewer")
    body = viewer.get(PENDING).content.decode()
    assert "Ends Sunday" in body
    assert not any(word in body for word in ('name="approve"', 'name="pick"', "Add by hand"))
    assert "You can view, but not decide." in viewer.get(row.get_absolute_url()).content.decode()
    for address in (DECIDE, row.get_absolute_url(), f"/templates/undo/{'0' * 8}-0000-4000-8000-{'0' * 12}/"):
        assert viewer.post(address, {"approve": row.pk}).status_code == 403
    limited = signed_in("operator", make_brand("Own"))
    answer = limited.get(PENDING)
    assert answer.status_code == 403
    assert "This is for no single brand." in answer.content.decode()
    assert 'href="/templates/"' not in limited.get(reverse("overview")).content.decode()
    assert signed_in("manager", make_brand("Other")).get(PENDING).status_code == 200
    assert states() == ["pending"]


def test_a_file_that_is_not_stored_is_tried_again_alone(page, django_assert_max_num_queries):
    ads = [make_candidate(f"100000{n}", title=f"Ad {n}").library_ad for n in range(3)]
    link = "https://x.fbcdn.net/1.jpg"
    gone, expired, stored = [
        AdMedia.objects.create(library_ad=ad, role="picture", position=4, url=link, **which)
        for ad, which in zip(
            ads,
            [
                {"status": "unavailable", "reason": "gone"},
                {"status": "unavailable", "reason": "expired"},
                {"status": "stored", "media": make_media(b"GIF89a-again")},
            ],
            strict=True,
        )
    ]
    assert 'href="/templates/not-stored/"' in page.get(PENDING).content.decode()
    with django_assert_max_num_queries(12):
        body = page.get("/templates/not-stored/").content.decode()
    assert ("Ad 0" in body, "Ad 1" in body, "Ad 2" in body) == (True, True, False)
    assert [again(place) in body for place in (gone, expired)] == [True, False], "nothing renews a link of the ad library"
    response = page.post(again(gone), {"next": "/templates/not-stored/?page=1"})
    run = Run.objects.get()
    assert (run.brand, run.parameters["only"]) == (None, gone.pk)
    assert response.headers["Location"] == "/templates/not-stored/?page=1"
    assert said(response) == f"It is tried again when a worker is free. See run {run.pk}"
    assert "already queued" in said(page.post(again(gone)))
    assert Run.objects.count() == 1
    assert page.post(again(stored)).status_code == 404
    assert signed_in("viewer").post(again(gone)).status_code == 403


def again(place):
    return reverse("template_again", args=[place.pk])


def said(response):
    return "".join(strip_tags(str(one)) for one in get_messages(response.wsgi_request))
