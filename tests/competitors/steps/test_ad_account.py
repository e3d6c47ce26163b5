"""What Meta says of an ad account is stored with it, and what keeps it from being read."""

from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.models import AdAccount
from competitors.sandbox.server import serve
from competitors.steps.ad_account import check_account, look_up_tokens
from competitors.upstream.graph import http
from pipeline.contract import CredentialRejected, PermanentError, UpstreamDown
from pipeline.engine.execution.replay import ReplayContext
from pipeline.engine.workers.housekeeping import Housekeeping
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, Run
from tests.competitors.upstream.altered import GONE, alter, with_field
from tests.factories import make_brand

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


@pytest.fixture(scope="module")
def served():
    with serve(seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served, settings, monkeypatch):
    settings.META_GRAPH_URL, settings.META_ACCESS_TOKEN = served.graph_url, "EAAB-a-token-for-tests"
    monkeypatch.setattr(http, "PAUSES", (0, 0))
    yield served
    served.account.forget()


def checked(account):
    check_account(ReplayContext(Run()), account)
    return stored(account)


def stored(account):
    account.refresh_from_db()
    return account.token_state, bool(account.token_expires_at), bool(account.checked_at), account.currency


@pytest.fixture
def account():
    return AdAccount.objects.create(brand=make_brand(), account_id="act_123456789")


def test_an_account_gets_its_name_currency_zone_and_token(sandbox, account, monkeypatch):
    sandbox.account.config.change({"token_seconds": 60 * 86_400})
    assert checked(account) == ("valid", True, True, "USD")
    assert (account.name, account.time_zone) != ("", "")
    sandbox.account.config.change({"token_seconds": 5 * 86_400})
    alter(monkeypatch, f"/{account.account_id}", with_field(GONE, "currency"))
    assert checked(account) == ("expires", True, True, "USD"), "what Meta does not tell stays"


@pytest.mark.parametrize(
    ("fault", "value", "of", "state", "error"),
    [
        ("graph_blocked", True, "", "blocked", PermanentError),
        ("graph_blocked", True, "act_", "blocked", PermanentError),  # Meta says so only of the account
        ("graph_token_refused", 459, "", "blocked", PermanentError),
        ("graph_token_refused", 463, "", "expired", CredentialRejected),
        ("graph_token_refused", 463, "act_", "expired", CredentialRejected),
        ("graph_no_permission", True, "", "valid", PermanentError),
        ("graph_unavailable", True, "", "valid", UpstreamDown),
    ],
)
def test_what_keeps_it_from_being_read_is_stored_and_what_was_known_stays(sandbox, account, fault, value, of, state, error):
    checked(account)
    before = account.checked_at
    sandbox.account.faults.arm(fault, value, path=of)
    with pytest.raises(error):
        checked(account)
    assert (stored(account)[0], account.currency) == (state, "USD")
    assert (account.checked_at > before) is (fault != "graph_unavailable"), "an outage says nothing of the token"


def test_an_account_without_any_token_says_which_setting_it_needs(sandbox, account, settings):
    settings.META_ACCESS_TOKEN = ""
    with pytest.raises(
        PermanentError, match="There is no token for act_123456789. Set META_ACCESS_TOKENS with act_123456789=token"
    ):
        checked(account)
    assert stored(account)[0] == "missing"


def test_each_token_is_looked_up_daily_whatever_is_synced(sandbox, account, monkeypatch, caplog):
    """By one worker, once a day. An outage, an account that was asked today, and an archived brand's change nothing."""
    archived = AdAccount.objects.create(brand=make_brand("Old"), account_id="act_2")
    Brand.objects.filter(pk=archived.brand_id).update(archived_at=timezone.now())
    today = AdAccount.objects.create(brand=account.brand, account_id="act_3")
    AdAccount.objects.update(token_state="valid", checked_at=timezone.now() - timedelta(hours=25))
    AdAccount.objects.filter(pk=today.pk).update(checked_at=timezone.now() - timedelta(hours=23))
    sandbox.account.config.change({"token_seconds": 5 * 86_400})
    Housekeeping(register_worker()).work()
    assert stored(account)[:2] == ("expires", True)
    assert stored(archived)[0] == stored(today)[0] == "valid"
    sandbox.account.config.change({"token_seconds": 60 * 86_400})
    look_up_tokens()
    assert stored(account)[0] == "expires", "it was asked today"
    AdAccount.objects.filter(pk=account.pk).update(checked_at=timezone.now() - timedelta(hours=25))
    monkeypatch.setattr(http, "PAUSES", ())
    sandbox.account.faults.arm("graph_unavailable")
    look_up_tokens()
    assert stored(account)[:2] == ("expires", True)
    assert "could not be looked up" in caplog.text


@pytest.mark.parametrize(
    ("fault", "value", "state"), [("graph_blocked", True, "blocked"), ("graph_token_refused", 463, "expired")]
)
def test_the_daily_look_up_takes_no_refusal_back_until_meta_lets_the_account_be_read(sandbox, account, fault, value, state):
    def look_up():
        AdAccount.objects.update(checked_at=timezone.now() - timedelta(hours=25))
        look_up_tokens()
        return stored(account)[0]

    sandbox.account.faults.arm(fault, value, path="act_")  # of the token itself Meta says that it is good
    with pytest.raises((PermanentError, CredentialRejected)):
        checked(account)
    assert look_up() == state
    sandbox.account.faults.clear()
    assert look_up() == "valid"
