import pytest

from pipeline import api
from pipeline.contract import Done, get_type
from pipeline.engine.workers.inline import work_one
from pipeline.models import Step
from pipeline.states import RunStatus
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_step_whose_name_would_be_cut_to_anothers_ends_the_run(monkeypatch):
    def two_steps(self, ctx, params):
        return Done(summary=str([ctx.step("x" * 130 + name, lambda name=name: name) for name in "ab"]))

    monkeypatch.setattr(type(get_type("toy")), "run", two_steps)
    run = api.queue_one_time_job(make_brand().pk, "toy", {}).run
    work_one()
    run.refresh_from_db()
    assert (run.status, Step.objects.count()) == (RunStatus.FAILED, 0)
    assert "has at most 100 characters" in run.error_message
