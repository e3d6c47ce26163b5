"""What people are told of a token: in time, and a block at Meta is not an expired token."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from competitors.models import AdAccount
from competitors.views.brands.tokens import token_badge, token_notices, version_notices
from pipeline.models import FailedRun, Incident, Job, Run
from tests.factories import make_brand, make_person
from tests.performance_rows import make_account

NOW = datetime(2026, 5, 5, 12, tzinfo=ZoneInfo("America/Los_Angeles"))


def account(state, left=None, name=""):
    ends = None if left is None else NOW + timedelta(days=left)
    return AdAccount(account_id="act_1", name=name, token_state=state, token_expires_at=ends)


@pytest.mark.parametrize(
    ("state", "left", "badge", "tone", "title"),
    [
        ("", None, "Token not checked", "", ""),
        ("valid", None, "Token valid", "", ""),
        ("valid", 14.1, "Token valid", "", ""),
        ("valid", 13.9, "Token: 13 days left", "grey", "The Meta token of act_1 ends in 13 days, on 19 May 2026."),
        ("expires", 7, "Token: 7 days left", "amber", "The Meta token of act_1 ends in 7 days, on 12 May 2026."),
        ("expires", 1, "Token: 1 day left", "red", "The Meta token of act_1 ends in 1 day, on 6 May 2026."),
        ("expires", -2, "Token ended 2 days ago", "red", "Meta no longer accepts the token of act_1."),
        ("expired", 30, "Token refused", "red", "Meta no longer accepts the token of act_1."),
        ("blocked", -2, "Blocked at Meta", "red", "Meta has blocked act_1."),
        ("missing", None, "No token", "red", "There is no Meta token for act_1."),
    ],
)
def test_a_token_is_told_about_in_time(state, left, badge, tone, title):
    one = account(state, left)
    assert token_badge(one, NOW).word == badge
    assert [(notice.tone, notice.title) for notice in token_notices([one], NOW)] == ([(tone, title)] if tone else [])


def test_each_trouble_says_what_to_do_once_for_all_its_accounts_and_the_worst_comes_first():
    names = ["Alpha", "Beta", "Gamma", "Delta"]
    accounts = [account("expires", 13, "Late"), *(account("expired", name=name) for name in names)]
    accounts += [account("blocked", name="Shut"), account("expires", 0.5, "Soon"), account("expires", 0.9, "Next")]
    notices = token_notices(accounts, NOW)
    assert [notice.title for notice in notices] == [
        "Meta has blocked Shut.",
        "Meta no longer accepts the token of 4 ad accounts.",
        "The Meta token of 2 ad accounts ends in 12 hours, on 6 May 2026.",
        "The Meta token of Late ends in 13 days, on 18 May 2026.",
    ]
    assert notices[0].text.startswith("The token is still good, so keep it.")
    assert "Make a new token" not in notices[0].text
    assert "Make a new token at Meta" in notices[1].text
    assert notices[1].text.endswith("Concerns Alpha, Beta, Gamma and 1 more.")


def test_the_end_of_the_graph_apis_version_is_told_about_in_time_where_it_is_known(settings):
    assert version_notices() == []
    settings.META_GRAPH_VERSION_ENDS = date(2028, 5, 31)
    days = date(2028, 3, 31), date(2028, 4, 1), date(2028, 5, 31)
    told = [[(one.tone, one.title) for one in version_notices(day)] for day in days]
    assert told == [
        [],
        [("amber", "Meta ends version v26.0 of its Graph API in 60 days, on 31 May 2028.")],
        [("red", "Meta has ended version v26.0 of its Graph API on 31 May 2028.")],
    ]


@pytest.mark.django_db
def test_health_leaves_a_token_to_the_incident_that_tells_of_it(client):
    """An account whose sync has not failed yet, a token that ends soon and one whose incident is over are told of."""
    client.force_login(make_person("ann", "manager"))
    now = timezone.now()
    times = {"due_at": now, "order_at": now, "created_at": now, "asked_at": now, "completed_at": now}
    seen = {"job_type": "meta_sync", "message": "The token is bad.", "first_seen": now, "last_seen": now}
    incident = Incident.objects.create(**seen, kind="TokenRefused")
    other_kind = Incident.objects.create(**seen, kind="TransientError")

    def failing(name, of=incident, *, whole_brand=False, **fields):
        account = make_account(make_brand(name), f"act_{name}", name=name, **fields)
        job = {"brand": account.brand, "job_type": "meta_sync", "subject": "" if whole_brand else str(account.pk)}
        run = Run.objects.create(**job, job=Job.objects.create(**job), status="failed", **times)
        return FailedRun.objects.create(incident=of, run=run, **job, failed_at=now)

    failing("Told", token_state="expired")
    told = failing("Told too", token_state="expired", whole_brand=True)
    make_account(told.run.brand, "act_1", name="Stopped", token_state="blocked")  # the sync of all failed by the other one
    make_account(make_brand("Untold"), "act_2", name="Untold", token_state="expired")
    failing("Soon", token_state="valid", token_expires_at=now + timedelta(days=2))
    failing("Otherwise", of=other_kind, token_state="missing")
    over = failing("Over", token_state="blocked")
    FailedRun.objects.filter(pk=over.pk).update(over_at=now)
    body = client.get("/pipeline/").content.decode()
    assert "The token is bad" in body
    assert "Meta no longer accepts the token of Untold." in body
    assert "The Meta token of Soon ends in" in body
    assert "There is no Meta token for Otherwise." in body
    assert "Meta has blocked 2 ad accounts." in body
    assert "Concerns Stopped, Over." in body
