"""An ad account is read over real HTTP, whatever the Graph API does meanwhile."""

import time

import pytest

from competitors.sandbox.graph.nodes import STATUSES
from competitors.sandbox.http import Answer
from competitors.upstream.graph import AdAccountReader, ObjectGone, account, http
from pipeline.contract import (
    BlockedError,
    CredentialRejected,
    PermanentError,
    RunError,
    SlowDown,
    TransientError,
    UpstreamDown,
)
from tests.competitors.upstream.altered import alter_raw

from .conftest import TOKEN

pytestmark = pytest.mark.only_on("sqlite")
ACCOUNT = "act_123456789"


@pytest.fixture
def reader(sandbox):
    return AdAccountReader(ACCOUNT)


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(account, "PAGE", 8)


def listed(reader):
    """All ads by id, in order; and what was skipped."""
    parts = list(reader.ads())
    return [item["id"] for part in parts for item in part.items], [one for part in parts for one in part.skipped]


def requests_of(sandbox):
    return sum(count for route, count in sandbox.state["requests"].items() if "/graph/" in route)


def test_an_account_tells_name_currency_and_zone(reader):
    assert {"name", "currency", "timezone_name"} <= set(reader.itself())


def test_all_ads_but_deleted_ones_come_once(reader, small_pages):
    parts = [item for part in reader.ads() for item in part.items]
    ids = [item["id"] for item in parts]
    assert len(ids) == len(set(ids)) > 24
    found = {item["effective_status"] for item in parts}
    assert "ARCHIVED" in found  # left out by Meta unless it is asked for
    assert set(account.STATUSES) == set(STATUSES) - {"DELETED"}
    assert found <= set(account.STATUSES)


def test_thumbnails_are_asked_for_in_full_size(reader):
    links = [item["creative"].get("thumbnail_url") for part in reader.ads() for item in part.items]
    assert links and all("s1080x1080" in link for link in links if link)


def test_trap_the_address_of_the_next_page_has_the_token_so_only_the_cursor_is_followed(reader, small_pages, sandbox, caplog):
    caplog.set_level("DEBUG")
    listed(reader)
    assert TOKEN not in caplog.text
    assert "access_token" not in caplog.text
    assert TOKEN not in repr(sandbox.state)


@pytest.mark.parametrize(
    ("fault", "value", "error", "said"),
    [
        ("graph_throttled", 17, BlockedError, "too many requests about the ads of act_123456789"),
        ("graph_throttled", 80004, BlockedError, "too many requests"),
        ("graph_throttled", 4, SlowDown, "asked us to slow down"),
        ("graph_token_refused", 463, CredentialRejected, "Set a valid META_ACCESS_TOKEN"),
        ("graph_token_refused", 459, PermanentError, "open Meta and confirm"),
        ("graph_blocked", True, PermanentError, "open Meta and confirm"),
        ("graph_no_permission", True, PermanentError, "ads_read"),
        ("graph_unavailable", True, UpstreamDown, "passing fault"),
        ("server_error", 500, UpstreamDown, "passing fault"),
        ("html_error", 502, UpstreamDown, "passing fault"),
        ("drop", True, UpstreamDown, "cannot be reached"),
        ("broken_json", True, TransientError, "could not be read"),
        ("rate_limit", 9, SlowDown, "slow down"),
    ],
)
def test_a_fault_that_stays_is_named(sandbox, reader, monkeypatch, fault, value, error, said):
    monkeypatch.setattr(http, "PAUSES", (0, 0))
    sandbox.account.faults.arm(fault, value)
    with pytest.raises(error, match=said) as raised:
        listed(reader)
    assert TOKEN not in str(raised.value)
    if isinstance(raised.value, BlockedError) and not isinstance(raised.value, SlowDown):
        assert raised.value.seconds == 300  # as the headers say


@pytest.mark.parametrize(("fault", "value"), [("server_error", 503), ("graph_unavailable", True), ("drop", True)])
def test_a_passing_fault_on_the_third_page_loses_no_ad(sandbox, reader, small_pages, monkeypatch, fault, value):
    monkeypatch.setattr(http, "PAUSES", (0, 0))
    whole = listed(reader)
    found = []
    for number, part in enumerate(AdAccountReader(ACCOUNT).ads()):
        found += part.items
        if number == 1:
            sandbox.account.faults.arm(fault, value, count=2)
    assert ([item["id"] for item in found], []) == whole


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(sandbox, reader):
    whole = listed(reader)
    sandbox.account.faults.arm("graph_too_large", 3)
    assert listed(reader) == whole


@pytest.mark.parametrize(
    ("fault", "said"), [("graph_broken_creative", "could not answer"), ("graph_deleted_reel", "Meta has no")]
)
def test_trap_one_broken_creative_fails_a_whole_page_of_ads(sandbox, reader, fault, said):
    ids, _ = listed(reader)
    bad = ids[12]
    sandbox.account.faults.arm(fault, int(bad[4:9]))
    found, skipped = listed(reader)
    assert found == [one for one in ids if one != bad]
    assert [one.ad_id for one in skipped] == [bad]
    assert said in skipped[0].reason


def test_an_account_that_is_not_there_is_named(sandbox):
    with pytest.raises(PermanentError, match="may not read the ads of act_10000"):
        listed(AdAccountReader("act_10000"))
    assert listed(AdAccountReader("act_9999")) == ([], [])


def test_an_object_that_is_gone_is_told_apart(reader):
    with pytest.raises(ObjectGone, match="Meta has no video 77"):
        reader.video("77")


def test_an_answer_larger_than_the_limit_is_not_read_whole(reader, settings):
    whole = listed(reader)
    settings.PIPELINE_ANSWER_BYTES = 12_000
    assert listed(reader) == whole
    settings.PIPELINE_ANSWER_BYTES = 10
    with pytest.raises(TransientError, match="larger than 10 bytes"):
        listed(reader)


def test_trap_the_token_is_the_processes_so_that_two_brands_swap_theirs(sandbox, settings):
    settings.META_ACCESS_TOKENS = {"act_1": "bad-token", "act_2": "EAAB-of-the-second"}
    first, second, third = (AdAccountReader(f"act_{number}") for number in (1, 2, 3))
    assert second.itself() and third.itself()
    with pytest.raises(PermanentError, match="the token of act_1") as raised:
        first.itself()
    assert not isinstance(raised.value, CredentialRejected)
    sandbox.account.config.bad_tokens = frozenset({"bad-token", TOKEN})
    assert second.itself()
    with pytest.raises(CredentialRejected):
        third.itself()
    sandbox.account.config.bad_tokens = frozenset({"bad-token"})


def test_trap_an_expired_token_falls_back_to_everybodys(sandbox, settings):
    settings.META_ACCESS_TOKENS = {ACCOUNT: "expired-token"}
    with pytest.raises(RunError, match="does not accept the token of act_123456789"):
        AdAccountReader(ACCOUNT).itself()


def test_a_missing_token_is_said_without_a_request(sandbox, settings):
    settings.META_ACCESS_TOKEN = ""
    before = requests_of(sandbox)
    with pytest.raises(CredentialRejected, match="META_ACCESS_TOKEN is not set"):
        AdAccountReader(ACCOUNT).itself()
    assert requests_of(sandbox) == before


def test_from_75_percent_of_a_limit_on_requests_are_spread(sandbox, reader, monkeypatch):
    monkeypatch.setattr(http, "BUSY_PAUSE", 0.3)
    for percent, pauses in ((74, False), (75, True)):
        sandbox.account.faults.arm("graph_usage", percent)
        reader.itself()
        began = time.monotonic()
        reader.itself()
        assert (time.monotonic() - began >= 0.3) is pauses


def test_a_version_that_is_dead_says_which_setting(sandbox, reader, settings):
    settings.META_GRAPH_VERSION = "v19.0"
    with pytest.raises(PermanentError, match="Set META_GRAPH_VERSION to a newer one"):
        reader.itself()


def test_whoever_waits_can_be_stopped(sandbox):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        AdAccountReader(ACCOUNT, check=stop).itself()


def test_the_engine_can_ask_whether_meta_answers(sandbox, settings):
    account.meta.probe()
    sandbox.account.faults.arm("graph_token_refused", 463)
    with pytest.raises(CredentialRejected):
        account.meta.probe()
    settings.META_ACCESS_TOKEN, settings.META_ACCESS_TOKENS = "", {"act_1": "EAAB-of-the-first"}
    account.meta.probe()  # Meta answers, if only to say that it does not like this token
    sandbox.account.faults.arm("server_error", 503)
    with pytest.raises(UpstreamDown):
        account.meta.probe()


def test_the_token_goes_nowhere_else(sandbox, reader, monkeypatch):
    elsewhere = f"{sandbox.graph_url}/v26.0/act_42"
    alter_raw(monkeypatch, f"/{ACCOUNT}", lambda _: Answer(302, b"", headers={"Location": elsewhere}))
    before = requests_of(sandbox)
    with pytest.raises(PermanentError, match="redirect.*Check META_GRAPH_URL"):
        reader.itself()
    assert requests_of(sandbox) == before + 1


def test_a_netrc_file_does_not_replace_the_token(sandbox, reader, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(sandbox.account.config, "token", TOKEN)
    assert reader.itself()
