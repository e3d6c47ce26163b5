"""What can be read of an ad account: itself, its ads and insights page by page, and single ads, posts and videos."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from django.conf import settings

from pipeline.contract.errors import CredentialRejected, PermanentError, RunError, TransientError

from . import reports
from .http import Graph, Page, every_page, page_of
from .insights import Insights, InsightsPart, StartedReport
from .query import Query
from .refusals import NAME, AskedTooMuch, ObjectGone
from .tokens import Token, read_token

Level = Literal["ad", "account"]

PAGE = 100  # ads of one request
SYNC_DAYS = 31  # of insights at once
# Without this list, deleted and archived ads are left out. What is deleted has nothing to download.
STATUSES = (
    "ACTIVE",
    "PAUSED",
    "ARCHIVED",
    "PENDING_REVIEW",
    "DISAPPROVED",
    "PREAPPROVED",
    "PENDING_BILLING_INFO",
    "CAMPAIGN_PAUSED",
    "ADSET_PAUSED",
    "IN_PROCESS",
    "WITH_ISSUES",
)
AD_FIELDS = (
    "id,name,effective_status,created_time,campaign{id,name,stop_time},adset{end_time},"
    "creative{id,title,body,thumbnail_url,image_url,video_id,object_type,object_story_spec,asset_feed_spec,"
    "effective_object_story_id}"
)
THUMBNAIL: dict[str, str | int] = {"thumbnail_width": 1080, "thumbnail_height": 1080}  # without them it has 64 pixels


@dataclass(frozen=True)
class Skipped:
    """An ad that Meta cannot answer about; asked for alone as well."""

    ad_id: str
    reason: str


@dataclass(frozen=True)
class Listed:
    """A part of an account's ads, as they came."""

    items: list[Any]
    skipped: list[Skipped] = field(default_factory=list)


class AdAccountReader:
    """`account` is "act_…". Read with its own token if it has one. `check` is called often and may raise."""

    def __init__(self, account: str, check: Callable[[], None] = lambda: None):
        self.account, self._graph = account, Graph(account, check)

    def itself(self) -> dict[str, Any]:
        """With name, currency and timezone_name, if the token may see them."""
        return self._graph.get(self.account, f"ad account {self.account}", fields="name,currency,timezone_name")

    def token(self) -> Token:
        """How good the token is, and until when."""
        return read_token(self._graph)

    def insights(
        self, since: date, until: date, *, level: Level = "ad", breakdowns: Sequence[str] = ()
    ) -> Iterator[InsightsPart]:
        """Day by day, both ends included, in the account's own days. More than SYNC_DAYS are better asked for by a report.

        A question that Meta refuses for its size is split until it answers; what it cannot give is named in `lost`.
        """
        return self._insights().read(Query.of(level, since, until, breakdowns))

    def start_report(self, since: date, until: date, *, level: Level = "ad", breakdowns: Sequence[str] = ()) -> StartedReport:
        """The same by a report: wait until it is DONE, then read its pages. If it FAILED, `insights` can still split it."""
        return self._insights().start(Query.of(level, since, until, breakdowns))

    def report_state(self, report_id: str) -> reports.ReportState:
        return reports.read_state(self._graph, report_id)

    def report_pages(self, report_id: str) -> Iterator[Page]:
        return reports.read_pages(self._graph, report_id)

    def _insights(self) -> Insights:
        return Insights(self._graph, self.account)

    def ads(self) -> Iterator[Listed]:
        """All ads that are not deleted. An ad with which every page fails is skipped, and named with the reason."""
        size, skipped = PAGE, list[Skipped]()

        def read(after: str) -> Page:
            nonlocal size, skipped
            while True:
                try:
                    page, skipped = self._page(after, size, AD_FIELDS), []
                except (AskedTooMuch, ObjectGone) as error:
                    if size == 1:
                        alone, skipped = self._without_fields(after, error)
                        return replace(alone, items=[])
                    size //= 2
                else:
                    size = min(size * 2, PAGE)
                    return page

        for page in every_page(read, f"the ads of {self.account}"):
            yield Listed(page.items, skipped)

    def ad(self, ad_id: str) -> dict[str, Any]:
        """One ad, with fresh links."""
        return self._graph.get(ad_id, f"ad {ad_id}", fields=AD_FIELDS, **THUMBNAIL)

    def post(self, post_id: str) -> dict[str, Any]:
        """The post that an ad shows. Often refused: it needs a role on the page."""
        return self._graph.get(post_id, f"post {post_id}", fields="full_picture,attachments{media{image{src}}}")

    def video(self, video_id: str) -> dict[str, Any]:
        """With a fresh link to its file, `source`. Without that key, the token has no right to the file."""
        return self._graph.get(video_id, f"video {video_id}", fields="source,picture,length")

    def _page(self, after: str, size: int, fields: str) -> Page:
        asked = {"fields": fields, "limit": size, "effective_status": json.dumps(STATUSES), **THUMBNAIL}
        if after:
            asked["after"] = after
        what = f"the ads of {self.account}"
        return page_of(self._graph.get(f"{self.account}/ads", what, **asked), what)

    def _without_fields(self, after: str, error: RunError) -> tuple[Page, list[Skipped]]:
        """The page of the one ad that fails, with its id alone. Raises what is wrong if that fails too."""
        try:
            page = self._page(after, 1, "id")
        except AskedTooMuch as refusal:
            raise TransientError(str(refusal)) from refusal
        except ObjectGone as refusal:
            words = f"Meta has no ad account {self.account}, or the token may not see it. Check its number and the token."
            raise PermanentError(words) from refusal
        ids = [item.get("id") for item in page.items if isinstance(item, dict)]
        return page, [Skipped(ad_id if isinstance(ad_id, str) else "", str(error)) for ad_id in ids]


class Meta:
    """The upstream as the engine knows it."""

    name, label = NAME, "Meta"

    def probe(self) -> None:
        """With everybody's token; where there is none, with that of any account."""
        account = "" if settings.META_ACCESS_TOKEN else next(iter(settings.META_ACCESS_TOKENS), "")
        try:
            Graph(account).get("me", "the token's user", fields="id")
        except CredentialRejected:
            raise
        except PermanentError:  # such as that the token is an app's, which has no user: Meta answered
            return


meta = Meta()
