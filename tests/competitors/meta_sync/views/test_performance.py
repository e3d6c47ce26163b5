"""Ad Performance: what is shown of an account and its ads, what the address asks for, and what its buttons do."""

import csv
import html
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from competitors.jobs.meta_sync.figures.window import today_of
from competitors.models import AccountDay, AdAccount, AdClassification, AdDay, AdGap, AdMedia, AttentionRule
from pipeline import api
from pipeline.models import DatasetStatus, Event, Run
from tests.factories import make_brand, make_media, make_person
from tests.performance_rows import (
    days_back,
    make_account,
    make_account_day,
    make_ad_day,
    make_brand_ad,
    make_demographic_day,
)

pytestmark = pytest.mark.django_db
FRESH = ("meta_ads_performance", "ad_thumbnails", "ad_assets", "demographic_performance", "ad_classifications")


@pytest.fixture
def account(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return make_account(make_brand("Northpaw"))


@pytest.fixture
def page(account):
    return signed_in("operator")


def signed_in(role):
    client = Client()
    client.force_login(make_person(f"the {role}", role))
    return client


def at(account, name="performance", *args):
    return reverse(name, args=[account.brand.slug, *args])


def shown(page, account, /, **query):
    answer = page.get(at(account), query)
    assert answer.status_code == 200
    return answer.content.decode()


def ads_of(page, account, /, **query):
    return [line.ad_id for line in page.get(at(account), query).context["report"]().lines]


def fresh(account, dataset, hours=1, **fields):
    moment = timezone.now() - timedelta(hours=hours)
    DatasetStatus.objects.create(
        brand=account.brand, dataset_key=dataset, subject=str(account.pk), last_success_at=moment, **fields
    )


@pytest.fixture
def three(account):
    """A video, a picture, and an ad that is no longer listed; today and the day before."""
    today = today_of(account)
    video = make_brand_ad(account, "1", name="Calm evening", is_video=True)
    AdClassification.objects.create(
        brand_ad=video, format="testimonial", awareness="problem", hook="question", words_key="", classified_at=timezone.now()
    )
    picture = make_media(b"GIF89a")
    AdMedia.objects.create(brand_ad=video, role="thumbnail", status="stored", media=picture)
    AdMedia.objects.create(
        brand_ad=make_brand_ad(account, "2", name="Été <b>", status="PAUSED"), role="thumbnail", status="failed", reason="slow"
    )
    for day in days_back(today, 2):
        sold = {"purchases": 1, "purchase_value": Decimal("25.005"), "purchase_tier": "omni_purchase"}
        make_ad_day(account, "1", day, "10.005", video_views=300, video_thruplays=60, reach=500, **sold)
        make_ad_day(account, "2", day, "20", link_clicks=None)
        make_ad_day(account, "3", day, "0.00", ad_name="Long gone", impressions=0, link_clicks=0)
        make_account_day(account, day, "31", purchase_value=Decimal("25.005"))
    make_demographic_day(account, "1", today, "25-34 female")
    make_demographic_day(account, "1", today, "facebook feed", kind="placement")
    return account


def test_the_account_its_ads_and_what_no_ad_explains(page, three):
    for dataset in FRESH:
        fresh(three, dataset)
    body = shown(page, three)
    for word in ("act_1029384756", "America/Los_Angeles", "7-day click", "Token valid", "Video · Testimonial · Problem aware"):
        assert word in body
    report = page.get(at(three)).context["report"]()
    assert [(one.label, one.text) for one in report.figures] == [
        ("Spend", "$62.00"),
        ("Impressions", "2,000"),
        ("CTR", "2.00 %"),
        ("CPC", "$1.55"),
        ("CPM", "$31.00"),
        ("ROAS", "0.81"),
    ]
    second, first = report.lines
    assert (first.ad_id, first.spend, first.roas, first.ctr, first.cpc) == ("1", "$20.01", "2.50", "2.00 %", "$0.50")
    assert (first.impressions, first.cpm) == ("2,000", "$10.01")
    assert [(name, rate.text) for name, rate in first.rates] == [("Hook rate", "30 %"), ("Hold rate", "20 %")]
    assert (second.spend, second.roas, second.ctr, second.has_video) == ("$40.00", "", "", False)
    assert body.count("No video") == 2
    assert "Thumbnail failed" in body
    assert "Été &lt;b&gt;" in body
    assert [report.sums[name]["spend"] for name in ("matching", "all", "own")] == ["$60.01", "$60.01", "$62.00"]
    assert report.sums["unexplained"] == "$1.99"
    assert re.findall(r'class="banner[^>]* aria-label="(\w+)"', body) == ["Workers"], "in a test, none is alive"
    assert '<option value="thumbnails">Thumbnails</option>' in body
    assert body.index('name="legacy"') < body.index("Sync now</span>")  # the checkbox stands above the button


def test_zero_nothing_and_no_video_are_three_words(page, three):
    lines = {line.ad_id: line for line in page.get(at(three), {"ads": "all"}).context["report"]().lines}
    gone = lines["3"]
    assert (gone.spend, gone.roas, gone.ctr, gone.has_video, gone.state.word) == ("$0.00", "", "", True, "Not listed")
    assert (gone.name, gone.about) == ("Long gone", "No longer in the account’s list of ads")
    body = shown(page, three, ads="all", sort="spend")
    row = body[body.index("Long gone") :]
    assert "$0.00" in row
    assert '<span aria-hidden="true">–</span>' in row


def test_the_address_chooses_days_and_ads_and_their_order(page, three):
    today = today_of(three)
    make_ad_day(three, "1", today - timedelta(days=14), "1000")
    for query, expected in (
        ({}, "21"),
        ({"sort": "spend"}, "12"),
        ({"sort": "ad"}, "12"),
        ({"sort": "-roas"}, "12"),
        ({"sort": "roas"}, "12"),  # what is not known comes last in both directions
        ({"ads": "active"}, "1"),
        ({"ads": "all", "sort": "spend"}, "312"),
        ({"least": "20.02"}, "2"),
        ({"q": "ETE"}, "2"),
        ({"q": "calm eve"}, "1"),
        ({"q": "nothing"}, ""),
        ({"since": str(today - timedelta(days=14))}, "12"),
        ({"until": str(today - timedelta(days=13))}, "1"),
    ):
        assert "".join(ads_of(page, three, **query)) == expected, query
    wrong = shown(page, three, since="tomorrow", until=str(today + timedelta(days=2)), sort="up", page="7", nonsense="1")
    for word in ("From: It is not a day", "To: It is after today", "Order: ", "There is no page", "There is no filter"):
        assert word in wrong
    assert "At most 366 days" in shown(page, three, since="2020-01-01")
    assert "From: It is after the last day." in shown(page, three, since=str(today), until=str(today - timedelta(days=1)))
    assert "Min spend: " in shown(page, three, least="-1")
    assert "No ads match these filters." in shown(page, three, q="nothing")
    assert "from $" not in shown(page, three, compare="no")
    rows = list(csv.reader(io.StringIO(page.get(at(three, "performance_csv"), {"q": "calm"}).getvalue().decode("utf-8-sig"))))
    cells = dict(zip(*rows, strict=True))
    assert (cells["ad_id"], cells["spend"], cells["roas"], cells["hook_rate"]) == ("1", "20.01", "2.4993", "0.3000")


def test_the_days_behind_the_charts_are_a_table_that_the_page_leaves_out(page, three):
    today = today_of(three)
    body = shown(page, three, compare="no")
    where = html.unescape(re.search(r'<details hx-get="([^"]+)"', body)[1])
    assert f'<a href="{html.escape(where)}">' in body, "without JavaScript"
    table = page.get(where).content.decode()
    table = table[table.index('id="days"') : table.index("</table>")]
    assert re.findall(r'data-label="Spend">([^<]+)<', table) == ["$31.00"] * 2
    assert re.findall(r'data-label="ROAS">([^<]+)<', table) == ["0.81"] * 2
    assert f"{today.day} {today:%b} (today so far)" in table and table.count("<tr>") == 1 + 14 and "before" not in table
    assert "$31.00" not in body[body.index('id="days"') : body.index('id="ads"')]
    assert 'data-label="before">' in page.get(at(three, "performance_days")).content.decode()
    assert page.get(at(type("", (), {"brand": make_brand("Southpaw")}), "performance_days")).status_code == 404


def test_an_account_without_figures_says_why(page, account):
    today = today_of(account)
    other = make_account(account.brand, "act_2", name="Northpaw JP", currency="JPY", last_synced_at=None)
    assert "This account was never synced." in shown(page, account, account="act_2")
    fresh(other, "meta_ads_performance", last_status="failed", error_message="Meta no longer accepts the token.")
    DatasetStatus.objects.update(last_success_at=None)
    failed = shown(page, account, account="act_2")
    assert "The last sync failed, so nothing is known of this account." in failed
    assert "Meta no longer accepts the token." in failed
    assert "found no day on which an ad was shown" in shown(page, account)
    make_ad_day(account, "1", today - timedelta(days=30))
    assert "No ad was shown from" in shown(page, account)
    assert "The first day that is known is" in shown(page, account, until=str(today - timedelta(days=31)))
    make_ad_day(other, "1", today, "5000", purchase_value=Decimal("12345.5"))
    yen = shown(page, account, account="act_2")
    assert "¥5,000" in yen
    assert "¥5,000.00" not in yen
    assert "lacks 1 day" in yen
    assert "is not one of the choices" in shown(page, account, account="act_3")
    assert "has no ad account" in page.get(at(type("", (), {"brand": make_brand("Southpaw")}))).content.decode()


def test_each_stale_dataset_has_its_banner_and_its_button(page, three):
    fresh(three, "meta_ads_performance")
    fresh(three, "demographic_performance", hours=60)
    fresh(three, "ad_thumbnails", last_status="failed", error_message="Meta’s picture server did not answer.")
    body = shown(page, three)
    banners = body[body.index('id="banner"') : body.index('id="figures-h"')]
    assert banners.index("Demographic Performance: 2 days old.") < banners.index("Ad Thumbnails: still fresh, but the last")
    assert banners.count("figures of the table are not affected") == 2  # what was never fetched may be switched off
    for part in ("thumbnails", ""):
        answer = page.post(at(three, "performance_sync", three.pk), {"part": part, "next": "/ads/northpaw/?q=x"})
        assert (answer.status_code, answer.url) == (303, "/ads/northpaw/?q=x")
        run = Run.objects.latest("pk")
        assert (run.mode, run.parameters["ad_account"], run.parameters["parts"]) == (
            "worker",
            three.account_id,
            [part] if part else [],
        )
        assert "Sync queued!" in " ".join(str(one) for one in get_messages(answer.wsgi_request))
        api.cancel(run, by=run.created_by)
    before = Run.objects.count()
    answer = page.post(at(three, "performance_sync", three.pk), {"part": "audience"}, follow=True)
    assert "audience" in " ".join(str(one) for one in answer.context["messages"]) and Run.objects.count() == before
    southpaw = make_account(make_brand("Southpaw"), "act_9")
    assert page.post(at(three, "performance_sync", southpaw.pk)).status_code == 404


def test_a_manager_sets_the_thresholds(account, three):
    operator, manager = signed_in("operator"), signed_in("manager")
    where = at(account, "performance_rules")
    assert operator.get(where).status_code == 403
    assert "Thresholds</a>" not in shown(operator, account)
    values = {"roas_drop_percent": "30", "roas_min_spend": "5", "no_purchase_spend": "30.00", "idle_days": "7"}
    assert manager.post(where, values | {"idle_days": "0"}).status_code == 422
    assert manager.post(where, values | {"roas_min_spend": "-1"}).status_code == 422
    assert not AttentionRule.objects.exists()
    for spend in ("30.00", "40.00", "40.00"):
        assert manager.post(where, values | {"no_purchase_spend": spend}).status_code == 303
        assert ("It spent $40.00 without a purchase." in shown(manager, account)) == (spend == "30.00")
    told = Event.objects.filter(kind="settings", job_type="meta_sync", subject=str(account.pk)).order_by("pk")
    assert [event.message for event in told] == [
        "Thresholds changed by the manager: Min spend for that was 50, is 5; Spend without a purchase was 50, is 30.00.",
        "Thresholds changed by the manager: Spend without a purchase was 30.00, is 40.00.",
    ]
    assert "At least $5.00 spent" in shown(manager, account)
    assert AttentionRule.objects.count() == 1


def test_one_ad_has_all_its_figures_its_days_and_who_saw_it(page, three):
    body = page.get(at(three, "performance_ad", "1")).content.decode()
    for word in ("Calm evening", "Token valid", "$20.01", "25-34 female", "facebook feed", "Hook: Question", "All channels"):
        assert (word in body) == (word != "Token valid")
    assert "2.00</td>" in body  # frequency: 1,000 impressions, 500 people, on one day
    assert "Watched 25 %" in body
    assert "This ad has no video." in page.get(at(three, "performance_ad", "2")).content.decode()
    assert "Not listed" in page.get(at(three, "performance_ad", "3")).content.decode()
    assert "was not shown from" in page.get(at(three, "performance_ad", "1"), {"until": "2026-01-02"}).content.decode()
    assert page.get(at(three, "performance_ad", "4")).status_code == 404
    southpaw = make_account(make_brand("Southpaw"), "act_9")
    make_ad_day(southpaw, "5", today_of(southpaw))
    make_brand_ad(southpaw, "6")
    assert [page.get(at(three, "performance_ad", ad)).status_code for ad in "56"] == [404, 404]
    assert page.get(reverse("performance_csv", args=[make_brand("Westpaw").slug])).status_code == 404


def test_buttons_links_and_pictures_are_for_those_who_may_use_them(account, three):
    fresh(account, "demographic_performance", hours=60)
    operator, viewer = shown(signed_in("operator"), account), shown(signed_in("viewer"), account)
    for part in ("Sync now", "Fetch demographics", 'id="link-account"'):
        assert (part in operator, part in viewer) == (True, False), part
    narrow = get_user_model().objects.create_user("the accountant")
    narrow.user_permissions.add(Permission.objects.get(codename="view_adday"))
    client = Client()
    client.force_login(narrow)
    body = shown(client, account)
    for part in (at(account, "performance_ad", "1"), "ads.csv", "<img", "Thresholds"):
        assert part not in body, part
    assert at(account, "performance_ad", "1") in viewer and "ads.csv" in viewer and "<img" in viewer
    assert [client.get(at(account, *name)).status_code for name in (("performance_csv",), ("performance_ad", "1"))] == [403, 403]
    account.brand.archived_at = timezone.now()
    account.brand.save()
    closed = signed_in("manager").post(at(account, "performance_rules"), {"roas_drop_percent": "30"})
    assert closed.status_code == 422 and "archived" in closed.content.decode() and not AttentionRule.objects.exists()


def test_queries_do_not_grow_with_ads_and_days(page, three, django_assert_max_num_queries):
    today = today_of(three)
    for number in range(10, 40):
        make_brand_ad(three, str(number), is_video=True)
    AdDay.objects.bulk_create(
        AdDay(ad_account=three, ad_id=str(number), date=day, spend=1, impressions=number, last_read_at=timezone.now())
        for number in range(10, 40)
        for day in days_back(today, 60)
    )
    page.get(at(three))
    with django_assert_max_num_queries(32):
        page.get(at(three), {"since": str(today - timedelta(days=59))})


def test_a_run_of_all_accounts_is_among_the_runs_of_each_and_its_end_changes_every_row(page, account):
    other = make_account(account.brand, "act_2")
    run = api.queue_one_time_job(account.brand_id, "meta_sync").run
    assert run.subject == ""
    body = shown(page, account, account="act_2")
    assert body.count("All ad accounts (2)</bdi>") == 2
    assert "Not synced yet" not in body
    assert f'action="{reverse("run_action", args=[run.pk, "cancel"])}"' not in body, "that would end the sync of the others too"
    poll = html.unescape(re.search(r'id="poll" hidden hx-get="([^"]+)"', body)[1])
    api.cancel(run, by=run.created_by)
    told = page.get(poll).content.decode()
    assert [f'id="ad-account-{one.pk}"' in told for one in (account, other)] == [True, True]
    assert 'id="account" hx-swap-oob="change"' in told and '<dd class="mono">act_2</dd>' in told, "the account that is shown"
    assert 'id="new-figures" hx-swap-oob="true"' in told


@pytest.mark.parametrize(
    ("setting", "words", "days"),
    [
        ("7d_click_1d_view", "7-day click, 1-day view", 7),
        ("1d_click", "1-day click", 1),
        ("", "", 28),
        ("1d_click_skan", "1d_click_skan", 28),
    ],
)
def test_an_attribution_setting_is_told_in_words_where_they_are_known(setting, words, days):
    account = AdAccount(attribution_setting=setting)
    assert (account.attribution_words, account.attribution_days) == (words, days)


def test_what_meta_left_out_and_how_purchases_are_counted_stand_above_the_table(page, three):
    AccountDay.objects.update(attribution="7d_click_1d_view")
    AdAccount.objects.update(attribution_setting="1d_click")
    body = shown(page, three)
    assert "Purchases are counted by 7-day click, 1-day view." in body and "Meta left out" not in body
    assert "Numbers of the last 1 day still change." in body
    run = api.queue_one_time_job(three.brand_id, "meta_sync").run
    at, lost = timezone.now(), {f"Ad {number}": "Broken." for number in range(5)}
    AdGap.objects.replace(three, AdGap.Part.ADS, lost, run, at)
    AdGap.objects.replace(three, AdGap.Part.FIGURES, {"video_p95": "Gone."}, run, at)
    AdGap.objects.replace(three, AdGap.Part.ADS, {"Ad 4": "Broken.", "Ad <9>": "Broken."}, run, at + timedelta(days=1))
    AccountDay.objects.filter(date=today_of(three)).update(attribution="1d_click")
    body = shown(page, three)
    line = body[body.index("Meta left out") : body.index('class="table table--middle')]
    assert f'<bdi>Ad 4</bdi> since <a href="{run.get_absolute_url()}">run {run.pk}</a>, {localtime(at):%-d %b %Y}' in line
    assert "<bdi>video_p95</bdi>" in line and "<bdi>Ad &lt;9&gt;</bdi>" in line and "Ad 0" not in line and "more" not in line
    assert "counted in several ways: 1-day click on 1 day; 7-day click, 1-day view on 1 day." in body
