"""axe on every page: light and dark, wide and narrow, empty and filled, with live, failed and finished runs."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from competitors.models import Persona, PersonaQuote, RedditPost, RedditResearch
from pipeline import api
from pipeline.engine.upstreams import health
from pipeline.engine.workers.housekeeping.healing import heal_schedules
from pipeline.engine.workers.inline import work_off
from pipeline.models import (
    Attempt,
    Brand,
    BulkAction,
    BulkItem,
    DatasetStatus,
    Event,
    Incident,
    Notification,
    NotificationChannel,
    Run,
    ScheduleRule,
    Trouble,
)
from tests.competitors import runs
from tests.factories import make_competitor, make_listing, make_orphan, make_review, make_upstream
from tests.performance_rows import (
    days_back,
    make_account,
    make_account_day,
    make_ad_day,
    make_brand_ad,
    make_demographic_day,
)
from tests.receivers import make_channel, make_rule
from tests.reddit_rows import make_finding, make_persona, make_post, make_quote, make_research

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
OF_THEMES = RULES | {"runOnly": ["color-contrast", "link-in-text-block"]}  # the others see no colour
SCHEMES = [("light", RULES), ("dark", OF_THEMES)]
WIDE = 1280


@pytest.fixture
def filled(listing):
    """Listings and runs in every state that pages show differently."""
    brand = listing.competitor.brand
    Brand.objects.create(name="Oldpaw", archived_at=timezone.now())
    make_competitor(brand, "Old", archived_at=timezone.now())
    for number in range(30):
        make_review(listing, review_id=f"R{number:09}", rating=number % 5 + 1)
    DatasetStatus.objects.create(
        brand=brand, dataset_key="amazon_reviews", subject=str(listing.pk), last_success_at=timezone.now() - timedelta(days=20)
    )
    show_ads(brand)
    other = make_listing(listing.competitor, asin="B0CQ7Z8M4T", domain_code="com.au")
    api.queue_one_time_job(brand.pk, "amazon_review_scrape", {"competitor_amazon_url_id": str(other.pk)})
    waiting = Run.objects.get()
    Run.objects.filter(pk=waiting.pk).update(
        status="waiting",
        blocked_reason="at Apify",
        started_at=timezone.now(),
        due_at=timezone.now() + timedelta(hours=1),
        progress={"done": 22, "total": 31, "unit": "sweeps"},
    )
    make_upstream(waiting)
    make_orphan(make_listing(listing.competitor, asin="B0DK5F3N7Q"), "kS2hZ8PqLr4TnVw0X")
    heal_schedules(timezone.now())
    health.note_rejection("apify", "Apify does not accept the token.")
    for ends in ("ok", "partial", "permanent", "bug", "transient", "blocked"):
        api.queue_one_time_job(brand.pk, "toy", {"name": ends, "ends": ends})
    work_off()
    show_bulk_action()
    show_notifications(brand)
    research = make_research(brand, subreddits=["dogs"])
    counts = {"posts": 9, "not_measured": 2, "past_filters": 5, "unmeasured_past_filters": 1, "relevant": 3, "kept": 1}
    runs.ended(api.queue_one_time_job(brand.pk, "reddit_scrape", research.parameters()).run, counts=counts)
    runs.ended(api.queue_one_time_job(brand.pk, "reddit_scrape", {"search_queries": ["of no research"]}).run)
    post = make_post(brand)
    make_finding(post, research)
    why = {"words": [["fireworks", 0.5]], "parts": [["first person", 0.3]], "phrase": "did nothing for"}
    quote = make_quote(post, relevance=0.8, signal=0.6, why=why)
    PersonaQuote.objects.create(persona=make_persona(brand), quote=quote)
    api.save_rule(brand.pk, "toy", cadence="0 6 * * *", enabled=True)
    return listing


def show_bulk_action():
    """One that is under way, with a run in each state."""
    runs, at = Run.objects.filter(job_type="toy"), timezone.now()
    told = {"kind": "retry", "query": "job_type=toy", "words": "Type: Toy.", "cost": "3.40", "count": len(runs)}
    action = BulkAction.objects.create(token=uuid4(), frozen_at=at, created_at=at, **told)
    for run, state in zip(runs, ("done", "skipped", "failed", *["waiting"] * len(runs)), strict=False):
        settled = {"at": at, "message": "It was in the way."} if state != "waiting" else {}
        BulkItem.objects.create(action=action, run=run, number=run.pk, brand=run.brand, was="failed", state=state, **settled)


def show_notifications(brand):
    channel = make_channel("webhook", "https://hooks.example.com/")
    for event, of in (("failed", brand), ("no_worker", None)):
        rule = make_rule(event, channel, brand=of)
        Trouble.objects.create(rule=rule, key="x", title="x", since=timezone.now())
    api.send_test(channel, None)


def show_ads(brand):
    """Two ad accounts, one of which was never synced, with an ad that needs attention."""
    account = make_account(brand)
    make_account(brand, "act_2", name="", currency="", token_state="expired", last_synced_at=None)
    make_brand_ad(account, "1", status="DISAPPROVED", is_video=True)
    make_brand_ad(account, "2", started_at=timezone.now() - timedelta(days=60))
    for day in days_back(timezone.now().date() - timedelta(days=1), 20):
        make_ad_day(account, "1", day, video_views=200, video_thruplays=40)
        make_account_day(account, day, "12")
        make_demographic_day(account, "1", day, "25-34 female")


def pages(listing):
    competitor = listing.competitor
    of_competitor = [competitor.brand.slug, competitor.pk]
    of_states = {run.parameters.get("ends", run.status): run for run in Run.objects.all()}
    return [
        "/",
        "/competitors/",
        "/competitors/?archived=1",
        f"/competitors/{competitor.brand.slug}/",
        f"/competitors/{competitor.brand.slug}/?archived=1",
        *map(reverse, ("brands_import", "template_not_stored")),
        *(reverse(name, args=of_competitor[:1]) for name in ("brand_edit", "brand_archive", "competitors_import")),
        *(reverse(name, args=of_competitor) for name in ("competitor_edit", "competitor_archive")),
        competitor.get_absolute_url(),
        listing.reviews_url(),
        f"{listing.reviews_url()}?q=nothing-like-this",
        reverse("amazon_edit", args=[competitor.brand.slug, competitor.pk, listing.pk]),
        reverse("amazon_remove", args=[competitor.brand.slug, competitor.pk, listing.pk]),
        *(reverse(name, args=of_competitor[:1]) for name in ("reddit", "reddit_add", "reddit_quotes", "personas")),
        *(
            reverse(name, args=[of_competitor[0], Persona.objects.get().pk])
            for name in ("persona", "persona_edit", "persona_remove")
        ),
        reverse("reddit_posts", args=[competitor.brand.slug, RedditResearch.objects.get().pk]),
        "/ads/",
        f"/ads/{competitor.brand.slug}/",
        f"/ads/{competitor.brand.slug}/?account=act_2&q=nothing-like-this",
        f"/ads/{competitor.brand.slug}/ad/1/",
        f"/ads/{competitor.brand.slug}/days/",
        f"/ads/{competitor.brand.slug}/attention/",
        "/pipeline/",
        reverse("incident", args=[Incident.objects.latest("pk").pk]),
        "/pipeline/active/",
        f"/pipeline/schedules/?brand={competitor.brand.slug}",
        "/pipeline/notifications/",
        "/pipeline/freshness/",
        reverse("freshness_cell", args=[competitor.brand.slug, "amazon_reviews"]),
        f"/pipeline/freshness/refresh/?brand={competitor.brand.slug}&dataset=amazon_reviews",
        f"/pipeline/subjects/amazon_review_scrape/of/{competitor.brand.slug}/?subject={listing.pk}",
        "/pipeline/runs/",
        "/pipeline/runs/?status=nonsense",
        "/pipeline/runs/?status=failed",
        "/pipeline/audit/",
        f"{reverse('bulk_retry')}?status=failed",
        reverse("bulk_actions"),
        BulkAction.objects.get().get_absolute_url(),
        "{}?a={}&b={}".format(reverse("runs_compare"), of_states["ok"].pk, of_states["partial"].pk),
        reverse("run_edit", args=[of_states["ok"].pk]),
        reverse("schedule_spread", args=[ScheduleRule.objects.get().pk]),
        "/search/?q=no",
        "/nowhere/",
        *(run.get_absolute_url() for run in of_states.values()),
    ]


@pytest.mark.parametrize("width", [320, pytest.param(768, marks=pytest.mark.exhaustive), WIDE])
def test_no_page_violates_wcag_or_scrolls_sideways(open_page, filled, width):
    page = open_page("/", reduced_motion="reduce", viewport={"width": width, "height": 900})  # no colour is between two themes
    said: list[str] = []
    page.on(
        "console",
        lambda message: said.append(message.text) if message.type in ("error", "warning") and "404" not in message.text else None,
    )
    for path in pages(filled):
        page.goto(path)
        for scheme, rules in SCHEMES[: 1 if width < WIDE else 2]:  # colours do not depend on the width
            page.emulate_media(color_scheme=scheme)
            violations = Axe().run(page, options=rules).response["violations"]
            found = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in violations]
            assert not found, f"{path}, {scheme}: {json.dumps(found)}"
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"), (
            f"{path} scrolls sideways"
        )
        hidden = page.evaluate("[...document.querySelectorAll('thead a')].filter(a => a.closest('thead').clientWidth < 2).length")
        assert not hidden, f"{path}: a link in a table's head is reached by keys, but not seen"
        assert not said, f"{path}: {said}"


@pytest.mark.parametrize("width", [320, 1280])
def test_names_and_errors_without_a_place_to_break_widen_no_page(open_page, filled, width):
    long = "x" * 200
    competitor = filled.competitor
    type(competitor).objects.filter(archived_at=None).update(name=long)
    Brand.objects.update(name=long)
    RedditResearch.objects.update(name=long[:120], topic_context=long, search_queries=[long])
    RedditPost.objects.update(title=long, body=long)
    Run.objects.update(subject_label=long, summary=long)
    Run.objects.filter(status="failed").update(error_message=long * 500)
    Attempt.objects.update(error=long)
    Incident.objects.update(message=long * 9, note=long)
    BulkAction.objects.update(words=long)
    Event.objects.update(message=long, by=None)
    NotificationChannel.objects.update(name=long[:100], shown=long)
    Notification.objects.update(title=long)
    BulkItem.objects.filter(state="skipped").update(message=long)
    failed = Run.objects.filter(status="failed")
    DatasetStatus.objects.update(last_status="failed", last_run=failed.first(), error_message=long * 500)
    page = open_page("/", viewport={"width": width, "height": 900})
    for path in pages(filled):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{path} is {wide} px too wide"
        assert page.evaluate("document.querySelector('.banner__text')?.clientHeight ?? 0") < 900 or "/runs/" in path, path


def test_empty_pages_are_accessible_and_say_what_to_do(open_page):
    page = open_page("/")
    for path in ("/", "/competitors/", "/ads/", "/pipeline/", "/pipeline/runs/"):
        page.goto(path)
        assert not Axe().run(page, options=RULES).response["violations"], path


def test_the_sign_in_page_is_accessible_with_and_without_an_error(open_page):
    page = open_page("/login/")
    page.context.clear_cookies()
    page.goto("/login/?next=/")
    assert not Axe().run(page, options=RULES).response["violations"]
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="correct username")).to_be_visible()
    assert not Axe().run(page, options=RULES).response["violations"]
