"""Whatever goes wrong: what the operator reads, what is saved, what was started and paid, and what freshness says."""

import pytest

from competitors.jobs.template_scrape import landing, service
from competitors.models import AdMedia, LibraryAd, TemplateCandidate
from pipeline.models import DatasetStatus
from tests.competitors.scraping import finish, words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("fault", "value", "state", "said", "saves", "started", "paid"),
    [
        ("end_as", "FAILED:0.5", "pending", "Apify's run failed.", True, 1, 0.0075),
        ("end_as", "TIMED-OUT:0.5", "pending", "Apify's run timed out.", True, 1, 0.0075),
        ("no_items", True, "completed ok", "Apify found no ads.", False, 1, 0),
        ("ads_not_found", True, "completed ok", "Apify found no ads.", False, 1, 0.0008),
        ("only_errors", True, "completed suspicious", "could be read as an ad", False, 1, 0.0008),
        ("malformed_items", 1, "completed ok", "1 rejected", True, 1, 0.015),
        ("repeat_items", 0.3, "completed ok", "duplicates", True, 1, 0.0195),
        ("plan_limit", 0.5, "completed partial", "Cut by the plan at Apify", True, 1, 0.0075),
        ("no_money", True, "pending", "has no money left for this run", False, 0, 0),
        ("no_memory", True, "pending", "the account's memory is in use", False, 0, 0),
        ("dataset_gone", True, "pending", "could not be read", False, 1, 0.015),
    ],
)
def test_a_fault_of_the_run(scrape, sandbox, fault, value, state, said, saves, started, paid):
    sandbox.account.faults.arm(fault, value)
    run = scrape()
    assert " ".join(filter(None, [run.status, run.verdict])) == state, words(run)
    assert said in words(run) + run.summary
    assert LibraryAd.objects.exists() is saves
    assert sandbox.state["runs_started"] == started
    assert float(run.cost_actual or 0) == pytest.approx(paid, abs=0.0002)
    assert DatasetStatus.objects.filter(last_success_at__isnull=False).exists() is (state == "completed ok")


def test_a_server_error_on_page_3_is_waited_out_and_a_429_is_passed_over(scrape, sandbox, settings, monkeypatch):
    settings.PIPELINE_PAGE_ITEMS, pages = 5, []
    sandbox.account.faults.arm("server_error", 429, count=1, path="/actor-runs")

    def save(items, *args, **kwargs):
        pages.append(items)
        if len(pages) == 2:
            sandbox.account.faults.arm("server_error", 503, path="/dataset")
        return landing.save_page(items, *args, **kwargs)

    monkeypatch.setattr(service, "save_page", save)
    run = scrape()
    assert (run.is_live, len(pages), run.upstream_runs.get().read_offset) == (True, 2, 10), words(run)
    assert not DatasetStatus.objects.filter(last_success_at__isnull=False).exists()
    sandbox.account.faults.clear()
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"]) == ("completed", "ok", 1), words(run)
    assert LibraryAd.objects.count() == run.counts["new"] > 5


def test_a_refused_token_fails_the_run(scrape, sandbox):
    sandbox.account.faults.arm("server_error", 401, count=1, path="/dataset")
    run = scrape()
    assert (run.status, LibraryAd.objects.exists()) == ("failed", False)
    assert "Apify refused the request" in run.error_message


def test_a_fault_of_the_pictures_leaves_the_ads_and_says_why(scrape, sandbox):
    """And what is lost for the moment is fetched by the next run, though its ad is no longer new."""
    sandbox.account.faults.arm("media_expired", count=1)
    sandbox.account.faults.arm("media_gone", 404, count=1)
    run = scrape()
    assert (run.status, run.verdict) == ("completed", "ok")
    reasons = set(AdMedia.objects.exclude(reason__in=["", "none_in_ad"]).values_list("reason", flat=True))
    assert {"gone"} <= reasons
    assert run.counts["files_not_stored"] == AdMedia.objects.exclude(reason__in=["", "none_in_ad"]).count()
    assert TemplateCandidate.objects.count() == run.counts["queued"] > 0
