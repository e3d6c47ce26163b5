"""Fills the tables with what years of scraping leave. The first competitor has a tenth of all reviews and ads."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection

from benchmarks import load
from competitors.jobs.meta_sync.sync.months import add_up
from competitors.models import (
    AccountDay,
    AdAccount,
    AdClassification,
    AdDay,
    AdMedia,
    AdReading,
    AmazonReview,
    BrandAd,
    Competitor,
    CompetitorAd,
    CompetitorAdLibrary,
    CompetitorAmazonUrl,
    LandingPage,
    Media,
)
from competitors.reading.ad_library import clean_address
from pipeline.models import Attempt, Brand, DatasetStatus, Event, Job, Run, RunLog

TEXT = (
    "I bought these for our old dog and the difference after two weeks is hard to miss. The bag is large, the chews smell"
    " like peanut butter, and she takes them without hiding them in food. Shipping took a day longer than promised."
)
NOW = datetime.now(UTC)
ROUNDS = 5  # scrapes of all competitors take turns: no listing's rows lie side by side
READINGS, ADS_OF_READING = 12, 500


@dataclass(frozen=True)
class Amount:
    brands: int
    competitors: int  # of each brand
    subjects: int  # listings, and ad libraries, of the first competitor; the others have one of each
    reviews: int
    ads: int
    runs: int
    own_ads: int  # of each ad account
    days: int  # of each of those ads


FEW = Amount(brands=1, competitors=2, subjects=2, reviews=300, ads=200, runs=40, own_ads=40, days=30)
MANY = Amount(brands=10, competitors=20, subjects=10, reviews=500_000, ads=200_000, runs=50_000, own_ads=1_000, days=365)


@dataclass
class Contents:
    competitors: list[Competitor] = field(default_factory=list)
    listings: list[CompetitorAmazonUrl] = field(default_factory=list)
    libraries: list[CompetitorAdLibrary] = field(default_factory=list)
    accounts: list[AdAccount] = field(default_factory=list)
    ads: int = 0
    runs: int = 0


def fill(amount: Amount) -> Contents:
    """Replaces all rows."""
    load.empty(Brand)
    load.empty(AmazonReview)
    load.empty(Media)
    made = Contents()
    for number in range(amount.brands):
        brand = Brand.objects.create(name=f"Brand {number}", slug=f"brand-{number}")
        for of_brand in range(amount.competitors):
            competitor = Competitor.objects.create(brand=brand, name=f"Competitor {number}.{of_brand}")
            made.competitors.append(competitor)
            for _ in range(amount.subjects if competitor is made.competitors[0] else 1):
                _subject(made, competitor)
    pages = [_landing_page(competitor) for competitor in made.competitors]
    for part in range(ROUNDS):
        for listing, count in shares(made.listings, amount.reviews // ROUNDS):
            reviews(listing, count, part)
        for place, (competitor, count) in enumerate(shares(made.competitors, amount.ads // ROUNDS)):
            _ads(made, competitor, count, part, pages[place])
    for subject, count in shares([*made.listings, *made.libraries], amount.runs, first=amount.runs // 50):
        _runs(made, subject, count)
    for library in made.libraries:
        _readings(library)
    made.accounts += [performance(made.competitors[0].brand, amount, number) for number in (1, 2)]
    load.settle()
    return made


def shares(owners: list[Any], total: int, first: int = 0) -> list[tuple[Any, int]]:
    """The first owner has a tenth or as many as said, the others the rest in equal parts."""
    first = first or total // 10
    each, rest = divmod(total - first, len(owners) - 1)
    return [(owners[0], first + rest), *((owner, each) for owner in owners[1:])]


def day(spread: int) -> str:
    """A day of the years before, scattered over n."""
    ago = f"n * 7919 % {spread}"
    return f"DATE '2026-10-01' - {ago}" if connection.vendor == "postgresql" else f"date('2026-10-01', -({ago}) || ' days')"


def days_ago(count: str) -> str:
    today = f"{NOW:%Y-%m-%d}"
    return f"DATE '{today}' - ({count})" if connection.vendor == "postgresql" else f"date('{today}', -({count}) || ' days')"


def _subject(made: Contents, competitor: Competitor) -> None:
    number = len(made.listings)
    asin = f"B{number:09}"
    url = f"https://www.amazon.com/dp/{asin}"
    title = f"Calming chews for dogs, flavor {number}"
    made.listings.append(
        CompetitorAmazonUrl.objects.create(competitor=competitor, amazon_url=url, asin=asin, product_title=title)
    )
    address = clean_address(f"https://www.facebook.com/ads/library/?view_all_page_id={10_000 + number}&country=ALL")
    made.libraries.append(CompetitorAdLibrary.objects.create(competitor=competitor, url=address))


def _landing_page(competitor: Competitor) -> LandingPage:
    row = LandingPage(competitor=competitor, host="shop.example", first_seen_at=NOW, last_seen_at=NOW)
    load.insert(row, 200, path="'/products/' || n", active_ads="n * 7 % 90")
    return LandingPage.objects.filter(competitor=competitor)[0]


def reviews(listing: CompetitorAmazonUrl, count: int, part: int) -> None:
    text = f"CASE WHEN n % 500 = 0 THEN 'broke ' ELSE '' END || '{TEXT} ' || n"
    load.insert(
        AmazonReview(
            asin=listing.asin, domain_code=listing.domain_code, title="Good", author="A. B.", first_seen_at=NOW, last_seen_at=NOW
        ),
        count,
        review_id=f"'R{part}X' || n",
        rating="CASE n % 11 WHEN 10 THEN NULL ELSE n % 5 + 1 END",
        body=text,
        search_text=f"lower({text})",
        review_date=f"CASE n % 41 WHEN 40 THEN NULL ELSE {day(2500)} END",
        verified_purchase="n % 10 > 0",
        helpful_votes="CASE n % 7 WHEN 0 THEN n % 300 ELSE NULL END",
    )


def _ads(made: Contents, competitor: Competitor, count: int, part: int, page: LandingPage) -> None:
    """Ads, and for each second one a stored picture."""
    text = f"CASE WHEN n % 500 = 0 THEN 'last chance ' ELSE '' END || '{TEXT} ' || n"
    load.insert(
        CompetitorAd(
            competitor=competitor,
            landing_page=page,
            page_name=competitor.name,
            title="Calm dogs, happy homes",
            link_url="https://shop.example/products/1?utm_source=fb",
            call_to_action="Shop now",
            platforms=["FACEBOOK", "INSTAGRAM"],
            first_seen_at=NOW,
            last_seen_at=NOW - timedelta(days=3),
        ),
        count,
        id=f"{made.ads} + n",
        ad_archive_id=f"'{part}9' || n",
        body=text,
        search_text=f"lower({text})",
        started_on=f"CASE n % 41 WHEN 40 THEN NULL ELSE {day(900)} END",
        display_format="CASE n % 4 WHEN 0 THEN 'VIDEO' WHEN 1 THEN 'DCO' ELSE 'IMAGE' END",
        status="CASE n % 10 WHEN 0 THEN 'active' WHEN 1 THEN 'not_seen' ELSE 'inactive' END",
    )
    number, size = f"{made.ads} + n", {"bytes": 200_000, "width": 1080, "height": 1080}
    load.insert(
        Media(kind="image", mime="image/jpeg", file="media/picture.jpg", created_at=NOW, **size),
        count // 2,
        id=number,
        sha256=f"'sha' || ({number})",
    )
    picture = AdMedia(role="picture", url="https://scontent.fbcdn.net/picture.jpg", status="stored", expires_at=NOW)
    load.insert(picture, count // 2, competitor_ad_id=number, media_id=number)
    made.ads += count


def _runs(made: Contents, subject: CompetitorAmazonUrl | CompetitorAdLibrary, count: int) -> None:
    """Completed ones, each with its job, its paid start, its attempt, log lines and an event. One in 20 failed."""
    brand, first = subject.brand, made.runs
    ads = isinstance(subject, CompetitorAdLibrary)
    kind, dataset = ("competitor_scrape", "competitor_ads") if ads else ("amazon_review_scrape", "amazon_reviews")
    parameters: dict[str, Any] = (
        {"competitor_id": str(subject.competitor_id), "ad_library_url": subject.url, "max_ads": 500}
        if isinstance(subject, CompetitorAdLibrary)
        else {"competitor_amazon_url_id": str(subject.pk), "asin": "Unknown", "include_keywords": True, "include_helpful": True}
    )
    shared: dict[str, Any] = {"brand": brand, "job_type": kind, "subject": str(subject.pk), "parameters": parameters}
    number, failed = f"{first} + n", "n % 20 = 0"
    load.insert(Job(**shared, status="archived", created_at=NOW), count, id=number)
    load.insert(
        Run(
            **shared,
            about=subject.about,
            subject_label=subject.label,
            subject_url=subject.get_absolute_url(),
            due_at=NOW,
            order_at=NOW,
            created_at=NOW,
            asked_at=NOW,
            started_at=NOW - timedelta(minutes=9),
            completed_at=NOW - timedelta(days=2),
            counts={"raw": 300, "new": 42, "changed": 3, "unchanged": 255},
            summary="42 new, 3 changed, 255 unchanged",
            cost_estimate=Decimal("0.40"),
            cost_actual=Decimal("0.35"),
        ),
        count,
        id=number,
        job_id=number,
        status=f"CASE WHEN {failed} THEN 'failed' ELSE 'completed' END",
        verdict=f"CASE WHEN {failed} THEN '' ELSE 'ok' END",
        error_message=f"CASE WHEN {failed} THEN 'The source asked us to slow down.' ELSE '' END",
    )
    load.insert(
        load.paid_start(NOW - timedelta(days=2), deadline=NOW),
        count,
        run_id=number,
        tag=f"'tag' || ({number})",
        upstream_id=f"'up' || ({number})",
    )
    load.insert(
        Attempt(number=1, worker_label="box:1", lease_token=uuid4(), started_at=NOW, ended_at=NOW, outcome="completed"),
        count,
        run_id=number,
    )
    for seq in range(1, 4):
        load.insert(RunLog(seq=seq, at=NOW, message=f"Page {seq}: 60 items"), count, run_id=number)
    load.insert(Event(at=NOW, kind="run.queued", message="Queued by hand."), count, run_id=number, job_id=number)
    made.runs += count
    DatasetStatus.objects.create(
        brand=brand,
        dataset_key=dataset,
        subject=str(subject.pk),
        last_success_at=NOW - timedelta(days=2),
        last_attempt_at=NOW,
        last_status="completed",
        last_run_id=made.runs,
    )


def performance(brand: Brand, amount: Amount, number: int) -> AdAccount:
    """An ad account whose ads were shown on each day up to today, every third one without a video."""
    currency = {"currency": "USD", "time_zone": "UTC", "last_synced_at": NOW, "token_state": "valid"}
    account = AdAccount.objects.create(brand=brand, account_id=f"act_{number}", name=f"Account {number}", **currency)
    first, ads = (number - 1) * amount.own_ads, amount.own_ads
    load.insert(
        BrandAd(ad_account=account, status="ACTIVE", started_at=NOW - timedelta(days=900), first_seen_at=NOW, last_seen_at=NOW),
        ads,
        id=f"{first} + n",
        ad_id=f"'{number}20' || n",
        name="'Calm dogs ' || n",
        is_video="n % 3 > 0",
    )
    load.insert(
        AdClassification(format="demo", awareness="problem", words_key="", classified_at=NOW), ads, brand_ad_id=f"{first} + n"
    )
    thumbnail = AdMedia(
        role="thumbnail", url="https://scontent.fbcdn.net/1.jpg", status="failed", reason="expired", expires_at=NOW
    )
    load.insert(thumbnail, ads, brand_ad_id=f"{first} + n")
    figures = {
        "spend": "n % 4999 / 100.0",
        "impressions": "n % 3989 + 1",
        "clicks": "n % 90",
        "link_clicks": "n % 60",
        "purchases": "CASE WHEN n % 3 = 0 THEN n % 4 END",
        "purchase_value": "CASE WHEN n % 3 = 0 THEN n % 8999 / 100.0 END",
    }
    ad = f"(n - 1) % {ads} + 1"
    load.insert(
        AdDay(ad_account=account, ad_name="Calm dogs", purchase_tier="omni_purchase", last_read_at=NOW),
        ads * amount.days,
        ad_id=f"'{number}20' || ({ad})",
        date=days_ago(f"(n - 1) / {ads}"),
        video_views=f"CASE WHEN ({ad}) % 3 > 0 THEN n % 900 END",
        video_thruplays=f"CASE WHEN ({ad}) % 3 > 0 THEN n % 200 END",
        **figures,
    )
    _months(account)
    load.insert(AccountDay(ad_account=account, last_read_at=NOW), amount.days, date=days_ago("n - 1"), **figures)
    return account


def _months(account: AdAccount) -> None:
    ads = account.ads.values_list("ad_id", flat=True)
    for month in account.ad_days.dates("date", "month"):
        add_up(account, [(ad, month) for ad in ads])


def _readings(library: CompetitorAdLibrary) -> None:
    """Complete ones: each lacks ten ads of the one before and has ten others."""
    runs = Run.objects.filter(subject=str(library.pk)).order_by("pk").values_list("pk", flat=True)[:READINGS]
    AdReading.objects.bulk_create(
        AdReading(
            competitor=library.competitor,
            url=library.url,
            run_id=run,
            read_at=NOW - timedelta(days=READINGS - back),
            complete=True,
            counts={"ads": ADS_OF_READING},
            ads=[f"09{number}" for number in range(back * 10, back * 10 + ADS_OF_READING)],
        )
        for back, run in enumerate(runs)
    )
