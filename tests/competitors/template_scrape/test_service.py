"""A search for templates: its rows, its pictures and what waits for review."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from competitors.jobs.template_scrape import candidates
from competitors.jobs.template_scrape.landing import save_page
from competitors.models import AdMedia, LibraryAd, Media, TemplateCandidate
from pipeline import api, queries
from pipeline.contract import InvalidRequest, NotAllowed, get_type
from pipeline.engine.execution.replay import replay
from pipeline.models import DatasetStatus, Job, Run, UpstreamRun
from pipeline.people import limit_to
from tests.competitors import runs
from tests.competitors.scraping import finish
from tests.factories import make_brand, make_candidate, make_person

from .conftest import SEARCH, queue

pytestmark = pytest.mark.django_db(transaction=True)


def item(ad_archive_id="100000001", **fields):
    """An item of the actor, with a picture unless it says otherwise."""
    snapshot = {"images": [{"original_image_url": f"https://x.fbcdn.net/{ad_archive_id}.jpg"}]} | fields.pop("snapshot", {})
    return {"ad_archive_id": ad_archive_id, "is_active": True, "snapshot": snapshot} | fields


def save(items, run, fetched):
    with transaction.atomic():  # as ingest() does
        save_page(items, run, fetched, images_only=True)


def toy_run():
    return api.queue_one_time_job(None, "toy", {"name": f"owl {Run.objects.count()}"}).run


def test_a_search_saves_ads_stores_their_pictures_and_queues_them_once(scrape, sandbox):
    run = scrape()
    ads = LibraryAd.objects.all()
    assert (run.status, run.verdict, run.brand, run.subject) == ("completed", "ok", None, run.parameters["search_url"])
    assert run.counts["new"] == ads.filter(last_run=run).count() == ads.count() > 3
    assert run.counts["new"] + run.counts["videos_left_out"] == run.counts["raw"]  # images_only
    assert not AdMedia.objects.exclude(role="picture", status="stored").exclude(reason="none_in_ad").exists()
    assert all(default_storage.exists(media.file.name) for media in Media.objects.all())
    queued = TemplateCandidate.objects.all()
    assert queued.filter(status="pending", found_by=run).count() == queued.count() == run.counts["queued"] > 3
    assert f"{queued.count()} queued for review." in run.summary
    assert run.counts["variants_left_out"]
    status = DatasetStatus.objects.get()
    assert (status.brand, status.dataset_key, status.subject) == (None, "templates_scraped", run.subject)
    assert (status.last_status, status.records_affected) == ("completed", run.counts["new"])

    other = make_candidate()
    words, page = runs.rows_of(run)
    found = run.counts["queued"]
    assert (words, page.context["sheet"].paginator.count) == (f"See the {found} candidates to decide on", found)
    other.library_ad.delete()

    TemplateCandidate.objects.update(status="rejected", reviewed_at=timezone.now())
    again = scrape()
    assert (again.counts.get("new", 0), again.counts["unchanged"]) == (0, run.counts["new"])
    assert not again.counts.keys() & {"queued", "files"}  # what was rejected is not queued again
    assert set(ads.values_list("times_seen", flat=True)) == {2}
    assert ads.filter(first_seen_at__lt=again.started_at).count() == ads.count()
    assert replay(again).done.counts["unchanged"] == ads.count()
    assert set(ads.values_list("times_seen", flat=True)) == {2}


def test_with_videos_all_kinds_are_stored_and_without_auto_queue_nothing_waits(scrape, settings):
    run = scrape(images_only=False, auto_queue=False, max_ads=10)
    assert {"picture", "video", "poster"} == set(AdMedia.objects.filter(status="stored").values_list("role", flat=True))
    assert not TemplateCandidate.objects.exists()
    assert "videos_left_out" not in run.counts
    scrape(images_only=False, max_ads=10)
    kinds = set(TemplateCandidate.objects.values_list("media__kind", flat=True))
    assert kinds == {"image", "video"}
    stills = TemplateCandidate.objects.filter(media__places__role="poster").exclude(media__places__role="picture")
    assert not stills.exists(), "a still is not a candidate of its own"
    assert TemplateCandidate.objects.count() == TemplateCandidate.objects.values("library_ad", "media").distinct().count()


def test_one_file_is_tried_again_alone_for_free_and_then_waits_for_review(scrape, sandbox):
    sandbox.account.faults.arm("media_gone", 404, count=1)
    run = scrape(max_ads=10)
    sandbox.account.faults.clear()
    gone = AdMedia.objects.get(reason="gone")
    queued, paid, fresh = (TemplateCandidate.objects.count(), UpstreamRun.objects.count(), DatasetStatus.objects.get())
    again = scrape(max_ads=10, only=gone.pk)
    gone.refresh_from_db()
    assert (again.status, again.verdict, gone.status, gone.last_run) == ("completed", "ok", "stored", again)
    assert (again.summary, again.subject_label) == ("1 file stored. Queued for review.", f"One file of {run.subject_label}")
    assert TemplateCandidate.objects.get(found_by=again).media == gone.media
    assert (TemplateCandidate.objects.count(), UpstreamRun.objects.count()) == (queued + 1, paid)
    same = DatasetStatus.objects.get()
    assert (same.last_run, same.last_success_at) == (run, fresh.last_success_at)
    with pytest.raises(InvalidRequest, match="No ad that was found has a picture or video 99999"):
        queue(only=99999)


def test_what_a_search_says_of_an_ad_again(db):
    first, then = timezone.now() - timedelta(days=2), timezone.now()
    one, two = toy_run(), toy_run()
    save([item(position=7, total=90, impressions_with_index={"impressions_text": "1K-5K"})], one, first)
    for _ in range(2):  # the page is read again after a crash
        save([item(position=9, total=80), item(position=9, total=80)], two, then)
    ad = LibraryAd.objects.get()
    assert (ad.times_seen, ad.position, ad.best_position, ad.total, ad.last_run) == (2, 9, 7, 80, two)
    assert (ad.first_seen_at, ad.last_seen_at) == (first, then)
    ended = item(is_active=False, end_date=1_750_000_000, impressions_with_index={"impressions_text": ">1M"})
    save([ended], toy_run(), then + timedelta(hours=1))
    ad.refresh_from_db()
    assert (ad.times_seen, ad.is_active, ad.last_seen_at, ad.position, ad.best_position) == (3, False, then, None, 7)
    assert (ad.impressions_lower, ad.impressions_upper, ad.impressions_text) == (1_000_000, None, ">1M")
    save([item(position=1)], toy_run(), first + timedelta(hours=1))  # late: from before
    ad.refresh_from_db()
    assert (ad.times_seen, ad.is_active, ad.best_position) == (3, False, 7)


def test_an_ad_is_a_lead_if_it_tells_its_variants_or_belongs_to_no_group(db):
    run = toy_run()
    items = [
        item("100000001", position=1, collation_id="77", collation_count=None),
        item("100000002", position=2, collation_id="77", collation_count=3),
        item("100000003", position=3, collation_id="88", collation_count=0),
        item("100000004", position=4, collation_id="88"),
        item("100000005", position=5),
        item("100000006", position=6),
    ]
    save(items, run, timezone.now())
    for number, place in enumerate(AdMedia.objects.exclude(library_ad__ad_archive_id="100000006")):
        media = Media.objects.create(sha256=f"{number:064}", kind="image", mime="image/png", bytes=1, file=str(number))
        AdMedia.objects.filter(pk=place.pk).update(media=media, status="stored")
    assert candidates.queue(run, ("picture",)) == (3, 2)
    queued = set(TemplateCandidate.objects.values_list("library_ad__ad_archive_id", flat=True))
    assert queued == {"100000002", "100000003", "100000005"}  # of 88 no ad leads, so its first is taken
    assert candidates.queue(run, ("picture",)) == (3, 2)


def test_it_runs_without_a_brand_by_command_and_by_schedule(sandbox):
    out = StringIO()
    arguments = ["--param", f"search_url={SEARCH}&fbclid=1", "--param", "max_ads=10"]
    call_command("run_job", "template_scrape", *arguments, stdout=out)
    run = Run.objects.get()
    assert "≈ $0.01" in out.getvalue()
    assert run.parameters == {"search_url": run.subject, "max_ads": 10, "images_only": True, "auto_queue": True, "only": None}
    assert "fbclid" not in run.subject
    assert finish(run).verdict == "ok"
    assert get_type("template_scrape").subjects(None) == []
    job = api.ensure_recurring_job(None, "template_scrape", "0 6 * * *", run.parameters)
    tick = job.runs.get()
    assert (job.brand, tick.brand, tick.parameters, job.subject) == (None, None, run.parameters, run.subject)
    assert [one.key for one in get_type("template_scrape").subjects(None)] == [run.subject]
    assert get_type("template_scrape").subjects(make_brand()) == []
    Run.objects.filter(pk=tick.pk).update(due_at=timezone.now())
    assert (finish(tick).status, tick.counts.get("new", 0)) == ("completed", 0)
    seen = queries.health()
    assert (seen.fresh_count, [row.brand for row in seen.stale if row.brand is None]) == (1, [])
    DatasetStatus.objects.filter(brand=None).update(last_success_at=timezone.now() - timedelta(days=9))
    (stale,) = (row for row in queries.health().stale if row.brand is None)
    assert stale.subject == "Search for “dog chews”"
    limited = make_person("lena", "operator")
    limit_to(limited, [make_brand("Own")])
    assert not [row for row in queries.health(limited).stale if row.brand is None]


@pytest.mark.parametrize(
    ("role", "limited", "may"),
    [("viewer", False, False), ("operator", False, True), ("operator", True, False), ("manager", True, True)],
)
def test_operators_without_a_brand_limit_and_managers_may_start_it(db, role, limited, may):
    user = make_person("pat", role)
    if limited:
        limit_to(user, [make_brand("Own")])
    if may:
        assert api.queue_one_time_job(None, "template_scrape", {"search_url": SEARCH}, created_by=user).created
    else:
        with pytest.raises(NotAllowed, match=r"Only .*\."):
            api.queue_one_time_job(None, "template_scrape", {"search_url": SEARCH}, created_by=user)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "This field is required"),
        ({"search_url": "https://www.facebook.com/barkwell"}, "This is not an Ad Library address"),
        ({"search_url": SEARCH, "max_ads": 9}, "greater than or equal to 10"),
        ({"search_url": SEARCH, "max_ads": 1001}, "less than or equal to 1000"),
        ({"search_url": SEARCH, "images_only": "maybe"}, "images_only"),
        ({"search_url": SEARCH, "max_add": 20}, "max_add"),
    ],
)
def test_trap_a_wrong_parameter_is_ignored_or_fails_inside_the_run(db, parameters, words):
    with pytest.raises(InvalidRequest) as refused:
        api.queue_one_time_job(None, "template_scrape", parameters)
    assert words in f"{refused.value} {refused.value.errors}"
    assert not Job.objects.exists()


def test_two_searches_with_the_same_address_are_one_run_and_its_price_is_for_the_number_that_was_chosen(db):
    first, second = queue(SEARCH), queue(f"{SEARCH}&fbclid=abc")
    assert first == second
    estimate = get_type("template_scrape").estimate(None, {"search_url": SEARCH, "max_ads": 50})
    assert (estimate.cost_usd, estimate.cap_usd) == (Decimal("0.04"), Decimal("0.05"))
    assert get_type("template_scrape").estimate(None, {"search_url": SEARCH, "max_ads": "1000"}).cost_usd == Decimal("0.75")
    assert not UpstreamRun.objects.exists()
