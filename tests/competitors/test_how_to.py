"""The code of docs/how-to/add-a-job-type.md works as it stands there."""

import re
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

import competitors.jobs
from competitors.models import AmazonReview
from competitors.steps import subject_rows
from pipeline import api
from pipeline.contract import registry
from pipeline.models import DatasetStatus, Run
from tests.competitors.scraping import finish, upstream_runs

pytestmark = pytest.mark.django_db(transaction=True)
FILE = re.compile(r"^`competitors/jobs/complaint_watch/(\w+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def complaint_watch(tmp_path, monkeypatch):
    """The job type, as if its folder stood in competitors/jobs/."""
    folder = tmp_path / "complaint_watch"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, code in FILE.findall((Path(settings.BASE_DIR) / "docs/how-to/add-a-job-type.md").read_text()):
        (folder / name).write_text(code)
    monkeypatch.setattr(competitors.jobs, "__path__", [*competitors.jobs.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_types", {**registry._types})
    monkeypatch.setattr(subject_rows, "_job_types", {model: [*names] for model, names in subject_rows._job_types.items()})
    registry.discover()
    yield "complaint_watch"
    for name in [name for name in sys.modules if name.startswith("competitors.jobs.complaint_watch")]:
        del sys.modules[name]
    del competitors.jobs.complaint_watch


def test_the_job_type_of_the_guide_scrapes_pays_once_and_brings_its_data_up_to_date(complaint_watch, sandbox, listing):
    run = finish(api.queue_one_time_job(listing.brand.pk, complaint_watch, {"listing_id": str(listing.pk)}).run)
    assert (run.status, run.verdict) == ("completed", "ok"), run.error_message
    assert run.counts["new"] == listing.reviews().count() > 0
    assert {*AmazonReview.objects.values_list("rating", flat=True)} == {1, 2}
    assert DatasetStatus.objects.get(dataset_key="amazon_complaints").last_run == run
    assert 0 < run.cost_actual <= run.upstream_runs.get().cost_cap
    again = finish(api.queue_one_time_job(listing.brand.pk, complaint_watch, {"listing_id": str(listing.pk)}).run)
    assert (again.counts.get("new", 0), upstream_runs(sandbox)) == (0, 2)


def test_the_command_of_the_guide_queues_it(complaint_watch, listing):
    out = StringIO()
    call_command("run_job", complaint_watch, "--brand", listing.brand.slug, "--param", f"listing_id={listing.pk}", stdout=out)
    assert Run.objects.get().job_type == "complaint_watch", out.getvalue()
