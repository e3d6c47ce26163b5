"""What an error of the Graph API means is decided by its code and subcode; each field may be missing or wrong."""

import json

import pytest

from competitors.upstream.graph.refusals import (
    AskedTooMuch,
    BlockedAtMeta,
    NotPermitted,
    ObjectGone,
    Refusal,
    TokenRefused,
    WrongRequest,
)
from competitors.upstream.graph.usage import Usage, read_usage
from pipeline.contract import BlockedError, CredentialRejected, PermanentError, SlowDown, TransientError, UpstreamDown
from tests.competitors.upstream.altered import GONE, WRONG

pytestmark = pytest.mark.only_on("sqlite")


def meaning(status, code, subcode=None, *, own="", usage=None, wait=None, **fields):
    error = {"message": "Anforderungslimit erreicht", "code": code, **fields}
    if subcode is not None:
        error["error_subcode"] = subcode
    refusal = Refusal.of(status, {"error": error})
    assert refusal is not None
    return refusal.meaning("the ads of act_1", own, usage or Usage(), wait)


@pytest.mark.parametrize(
    ("status", "code", "subcode", "error"),
    [
        (500, 1, None, AskedTooMuch),
        (500, 1, 99, AskedTooMuch),
        (400, 100, 1487534, AskedTooMuch),
        (400, 1, 1504038, AskedTooMuch),
        (400, 1, 1504044, UpstreamDown),  # the same words as the one before
        (503, 2, None, UpstreamDown),
        (500, 0, None, UpstreamDown),
        (403, 4, 1504022, SlowDown),
        (400, 17, 2446079, BlockedError),
        (403, 32, None, BlockedError),
        (400, 613, 1487742, BlockedError),
        (400, 80000, None, BlockedError),
        (400, 80004, 2446079, BlockedError),
        (400, 80014, None, BlockedError),
        (401, 190, 463, CredentialRejected),
        (401, 190, 460, CredentialRejected),
        (400, 102, None, CredentialRejected),
        (401, 190, 459, BlockedAtMeta),
        (403, 368, None, BlockedAtMeta),
        (403, 10, None, NotPermitted),
        (403, 200, None, NotPermitted),
        (403, 294, None, NotPermitted),
        (400, 100, 33, ObjectGone),
        (400, 100, None, WrongRequest),
        (400, 2635, None, PermanentError),
        (400, 2500, None, PermanentError),
        (400, 99999, None, PermanentError),
    ],
)
def test_a_code_has_its_meaning(status, code, subcode, error):
    found = meaning(status, code, subcode)
    assert type(found) is error
    assert type(meaning(status, str(code), subcode)) is error, "a code that comes as text"


def test_words_decide_nothing():
    assert type(meaning(400, 100, message="rate limit reached, token expired")) is WrongRequest


def test_a_block_at_meta_leaves_the_token_valid_and_says_what_to_do():
    for found in (meaning(403, 368), meaning(401, 190, 459)):
        assert "is blocked at Meta. The token stays valid: open Meta and confirm" in str(found)
    assert "META_ACCESS_TOKEN" not in str(meaning(403, 368))


def test_trap_a_bad_token_of_one_account_stops_all_others():
    found = meaning(401, 190, 463, own="act_1")
    assert type(found) is TokenRefused
    assert "the token of act_1. Set a valid one in META_ACCESS_TOKENS" in str(found)


def test_throttling_waits_as_long_as_the_headers_say():
    assert meaning(400, 17, usage=Usage(100, 120)).seconds == 120
    assert meaning(400, 17, wait=7).seconds == 7
    assert [meaning(400, 17, usage=Usage(limited_tier=tier)).seconds for tier in (True, None, False)] == [300, 300, 60]
    assert (meaning(403, 4, usage=Usage(100, 90)).asked, meaning(403, 4).asked) == (90, None)


@pytest.mark.parametrize("name", ["code", "error_subcode", "is_transient", "message", "error_data"])
def test_a_field_that_makes_no_sense_spoils_no_other_one(name):
    for wrong in (value for value in WRONG.values() if value is not GONE):
        error = {"message": "m", "code": 17, "error_subcode": 2446079, "is_transient": False, name: wrong}
        found = Refusal.of(400, json.loads(json.dumps({"error": error}))).meaning("it", "", Usage(), None)
        assert isinstance(found, BlockedError) or name == "code"


@pytest.mark.parametrize("answer", [None, [], "error", {}, {"error": None}, {"error": "no"}, {"error": [1]}])
def test_what_is_no_error_object_is_none(answer):
    assert Refusal.of(400, answer) is None


def test_messages_of_meta_are_tidied_and_hold_no_token():
    words = str(meaning(400, 99999, message="bad access_token=EAAB0123456789abcdef\u202e\nnext" + "x" * 5000))
    assert "EAAB0123456789abcdef" not in words
    assert "\u202e" not in words
    assert len(words) < 500


def test_usage_is_the_highest_of_all_headers():
    one = {"call_count": 12, "total_time": 80.5, "total_cputime": "95"}
    case = [{"type": "ads_insights", "call_count": 3}, {"estimated_time_to_regain_access": 5}, 7, None]
    headers = {
        "x-app-usage": json.dumps(one),
        "x-business-use-case-usage": json.dumps({"1": case, "2": "no"}),
        "x-ad-account-usage": json.dumps({"acc_id_util_pct": 9.67, "reset_time_duration": 600}),
    }
    assert read_usage(headers) == Usage(80.5, 300, None)
    account = {"acc_id_util_pct": 100, "reset_time_duration": 600, "ads_api_access_tier": "development_access"}
    assert read_usage({"x-ad-account-usage": json.dumps(account)}) == Usage(100, 600, True)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "null", '{"call_count": true}', '{"call_count": -5}', '{"call_count": 1e999}', "[" * 9999]
)
def test_headers_that_make_no_sense_say_nothing(text):
    assert read_usage({"x-app-usage": text}) == Usage()


def test_a_wait_has_an_end():
    case = {"1": [{"estimated_time_to_regain_access": 10**9}]}
    assert read_usage({"x-business-use-case-usage": json.dumps(case)}).seconds == 3600


def test_transient_and_permanent_are_told_apart():
    assert issubclass(AskedTooMuch, TransientError)
    assert issubclass(ObjectGone, PermanentError)
