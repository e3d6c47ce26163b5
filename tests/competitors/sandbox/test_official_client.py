"""Apify's own client, unchanged, against the sandbox."""

from datetime import timedelta
from decimal import Decimal

import pytest
from apify_client import ApifyClient
from apify_client.errors import ApifyApiError, NotFoundError, UnauthorizedError

from competitors.sandbox.server import Sandbox

from .conftest import ACTOR, client_of, one_sweep, star_sweeps


def test_it_starts_waits_and_reads_the_items(client: ApifyClient) -> None:
    run = client.actor(ACTOR).start(
        run_input=one_sweep(),
        memory_mbytes=2048,
        run_timeout=timedelta(seconds=900),
        max_items=500,
        max_total_charge_usd=Decimal("1.5"),
    )
    assert run.status in ("READY", "RUNNING")
    assert (run.options.memory_mbytes, run.options.timeout_secs, run.options.max_items) == (2048, 900, 500)
    assert run.options.max_total_charge_usd == 1.5
    ended = client.run(run.id).wait_for_finish()
    assert ended is not None and ended.status == "SUCCEEDED" and ended.exit_code == 0
    items = list(client.dataset(ended.default_dataset_id).iterate_items())
    assert len(items) >= 100 and items[0]["reviewId"].startswith("R")


def test_the_slash_form_of_an_actor_name_works_too(client: ApifyClient) -> None:
    run = client.actor(ACTOR.replace("~", "/")).start(run_input=one_sweep())
    assert run.act_id == "ZebkvH3nVOrafqr5T"


def test_call_follows_a_run_to_its_end(client: ApifyClient) -> None:
    run = client.actor(ACTOR).call(run_input=one_sweep(), logger=None)
    assert run is not None and run.status == "SUCCEEDED"


def test_a_large_input_arrives_gzipped_and_is_kept_verbatim(client: ApifyClient) -> None:
    given = {"input": star_sweeps()["input"] * 4, "note": "größer als ein Kilobyte 🎉" * 60}
    run = client.actor(ACTOR).start(run_input=given)
    record = client.key_value_store(run.default_key_value_store_id).get_record("INPUT")
    assert record is not None and record["value"] == given
    assert client.key_value_store(run.default_key_value_store_id).get_record("OUTPUT") is None


def test_runs_can_be_listed_by_time_and_status(client: ApifyClient) -> None:
    first = client.actor(ACTOR).start(run_input=one_sweep())
    second = client.actor(ACTOR).start(run_input=one_sweep())
    client.run(first.id).wait_for_finish()
    client.run(second.id).wait_for_finish()
    listed = client.actor(ACTOR).runs().list(desc=True, started_after=first.started_at, status=["SUCCEEDED"])
    assert [run.id for run in listed.items] == [second.id, first.id]
    assert client.runs().list(started_after=second.started_at).items[-1].id == second.id
    assert client.runs().list(started_before=first.started_at - timedelta(seconds=1)).items == []


def test_a_run_bears_the_user_agent_of_its_start(sandbox: Sandbox) -> None:
    client = client_of(sandbox, user_agent_suffix="intent/4711")
    run = client.actor(ACTOR).start(run_input=one_sweep())
    listed = client.runs().list().items[0]
    assert listed.meta.user_agent == run.meta.user_agent
    assert "intent/4711" in (listed.meta.user_agent or "")


def test_it_aborts_in_two_steps(hour_long: Sandbox) -> None:
    client = client_of(hour_long)
    run = client.actor(ACTOR).start(run_input=one_sweep())
    assert client.run(run.id).abort().status == "ABORTING"
    ended = client.run(run.id).wait_for_finish()
    assert ended is not None and ended.status == "ABORTED"
    again = client.run(run.id).abort()
    assert (again.status, again.finished_at) == ("ABORTED", ended.finished_at)


def test_it_reads_the_log(client: ApifyClient) -> None:
    run = client.actor(ACTOR).start(run_input=star_sweeps(), wait_for_finish=5)
    text = client.run(run.id).log().get() or ""
    assert "Search 6 of 6: B0SANDBOX1, com, recent, one_star" in text
    assert text == client.log(run.id).get()


def test_it_resurrects_a_run_and_the_dataset_grows(client: ApifyClient) -> None:
    run = client.actor(ACTOR).start(run_input=one_sweep(), wait_for_finish=5)
    before = client.dataset(run.default_dataset_id).list_items().total
    again = client.run(run.id).resurrect()
    assert (again.id, again.stats.resurrect_count) == (run.id, 1)
    client.run(run.id).wait_for_finish()
    assert client.dataset(run.default_dataset_id).list_items().total == 2 * before


def test_it_reads_account_and_limits(client: ApifyClient) -> None:
    user = client.user("me").get()
    assert user is not None and user.username == "sandbox"
    limits = client.user("me").limits()
    assert limits is not None and limits.limits.max_concurrent_actor_jobs == 32


def test_what_does_not_exist_is_none_or_not_found(client: ApifyClient) -> None:
    assert client.run("nosuchrun12345678").get() is None
    assert client.dataset("nosuchdataset1234").get() is None
    with pytest.raises(NotFoundError):
        client.dataset("nosuchdataset1234").list_items()


def test_errors_arrive_with_their_type(sandbox: Sandbox) -> None:
    with pytest.raises(UnauthorizedError):
        ApifyClient("bad-token", api_url=sandbox.url, max_retries=0).user("me").get()
    sandbox.account.faults.arm("no_memory")
    with pytest.raises(ApifyApiError) as caught:
        client_of(sandbox).actor(ACTOR).start(run_input=one_sweep())
    assert (caught.value.status_code, caught.value.type) == (402, "actor-memory-limit-exceeded")
