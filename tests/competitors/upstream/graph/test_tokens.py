"""How long a token is good for, as Meta tells."""

from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.upstream.graph import AdAccountReader, Token, TokenState
from pipeline.contract import UpstreamDown
from tests.competitors.upstream.altered import GONE, WRONG, alter, with_field

from .conftest import TOKEN

pytestmark = pytest.mark.only_on("sqlite")
ACCOUNT = "act_123456789"
DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "state"), [(60 * DAY, TokenState.VALID), (13 * DAY, TokenState.EXPIRES), (0, TokenState.VALID)]
)
def test_a_token_tells_when_it_expires(sandbox, seconds, state):
    sandbox.account.config.change({"token_seconds": seconds})
    found = AdAccountReader(ACCOUNT).token()
    assert found.state == state
    if not seconds:
        assert found.expires_at is None, "never"
    else:
        assert abs(found.expires_at - timezone.now() - timedelta(seconds=seconds)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fault", "value", "state"),
    [
        ("graph_token_refused", 463, TokenState.EXPIRED),
        ("graph_token_refused", 460, TokenState.EXPIRED),
        ("graph_token_refused", 459, TokenState.BLOCKED),
        ("graph_blocked", True, TokenState.BLOCKED),
        ("graph_no_permission", True, TokenState.VALID),  # it may not look itself up
    ],
)
def test_a_block_at_meta_is_not_an_expired_token(sandbox, fault, value, state):
    sandbox.account.faults.arm(fault, value)
    assert AdAccountReader(ACCOUNT).token() == Token(state)


def test_an_accounts_own_token_that_expired_is_not_replaced_by_everybodys(sandbox, settings):
    settings.META_ACCESS_TOKENS = {ACCOUNT: "expired-token"}
    assert AdAccountReader(ACCOUNT).token().state == TokenState.EXPIRED
    assert AdAccountReader("act_2").token().state == TokenState.VALID
    settings.META_ACCESS_TOKEN = ""
    assert AdAccountReader("act_2").token().state == TokenState.MISSING


def test_an_outage_says_nothing_about_the_token(sandbox, monkeypatch):
    monkeypatch.setattr("competitors.upstream.graph.http.PAUSES", ())
    sandbox.account.faults.arm("graph_unavailable")
    with pytest.raises(UpstreamDown) as raised:
        AdAccountReader(ACCOUNT).token()
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("value", [None, GONE, "soon", True, -5, 10**400, [1]])
def test_an_expiry_that_makes_no_sense_is_unknown(sandbox, monkeypatch, value):
    alter(monkeypatch, "/debug_token", with_field(value, "data", "expires_at"))
    assert AdAccountReader(ACCOUNT).token() == Token(TokenState.VALID)


@pytest.mark.parametrize(
    ("data", "state"),
    [
        ({"is_valid": False, "error": {"code": 190, "subcode": 464}}, TokenState.BLOCKED),
        ({"is_valid": False, "error": "no"}, TokenState.EXPIRED),
        ({"is_valid": True, "expires_at": 1_500_000_000}, TokenState.EXPIRED),
        *[(value, TokenState.VALID) for value in WRONG.values() if value is not GONE],
    ],
    ids=str,
)
def test_what_meta_tells_of_a_token_may_be_anything(sandbox, monkeypatch, data, state):
    alter(monkeypatch, "/debug_token", with_field(data, "data"))
    assert AdAccountReader(ACCOUNT).token().state == state
