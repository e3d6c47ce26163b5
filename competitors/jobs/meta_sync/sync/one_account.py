"""The sync of one ad account, part by part. Each part is done once per run, whatever interrupts the run in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction

from competitors.models import AdAccount, AdDay, AdMedia, MediaStatus, attribution_words
from competitors.steps.account_files import doubt, forget_video_links, places, reader_of, store_roles, together
from competitors.steps.ad_account import check_account, note_refusal
from competitors.steps.ad_listing import Listing, list_ads
from competitors.steps.ad_media import Stored
from competitors.steps.fresh_links import FreshLinks
from pipeline.contract import BlockedError, Context, RunError
from pipeline.models import Run
from pipeline.states import RunStatus, Verdict
from pipeline.words import counted

from .classify import classify_ads
from .insights import Found, read_demographics, read_performance
from .window import Window

THUMBNAILS = 100  # that one run fetches at most
BUSY_SECONDS = 30
Role = AdMedia.Role


@dataclass(frozen=True)
class Options:
    """`datasets`: those of the parts that are asked for, by the part's name."""

    days_back: int
    datasets: Mapping[str, str]
    videos: int
    images: int


@dataclass
class Result:
    """What a part brought. Kept as JSON."""

    counts: dict[str, int] = field(default_factory=dict)
    records: int = 0
    summary: str = ""
    verdict: str = Verdict.OK
    reason: str = ""
    attribution: str = ""  # what the purchases of this reading were counted by


class AccountSync:
    def __init__(self, ctx: Context, account: AdAccount, options: Options):
        self._ctx, self._account, self._options = ctx, account, options
        self._reader = reader_of(ctx, account)
        self._looked = False

    def run(self) -> list[Result]:
        """In this order. Raises if the account itself cannot be read, or its performance."""
        parts: dict[str, Callable[[], Result]] = {
            "performance": self._performance,
            "thumbnails": self._thumbnails,
            "assets": self._assets,
            "demographics": self._demographics,
            "classifications": self._classifications,
        }
        take_account(self._ctx, self._account)
        if not self._options.datasets:
            self._look()
            return [Result(summary=f"{self._account} was looked up.")]
        return [self._part(name, parts[name]) for name in parts if name in self._options.datasets]

    def _part(self, name: str, work: Callable[[], Result]) -> Result:
        """A part that is not fatal, and fails, is told in its result. One that is asked for alone is fatal."""
        key, about = self._options.datasets[name], str(self._account.pk)
        fatal = name == "performance" or len(self._options.datasets) == 1
        result = Result()
        with self._ctx.dataset(key, about, fatal=fatal) as clock:
            result = Result(**self._ctx.step(f"{name} {about}", lambda: vars(self._looked_up(work))))
            clock.records = result.records
            clock.doubt = result.reason if result.verdict != Verdict.OK else ""
        if clock.error:
            return Result(verdict=Verdict.PARTIAL, reason=f"{name.capitalize()} not refreshed: {clock.error}")
        return result

    def _looked_up(self, work: Callable[[], Result]) -> Result:
        try:
            self._look()
            return work()
        except RunError as error:
            note_refusal(self._account, error)
            raise

    def _look(self) -> None:
        """Once per attempt: the zone says which days are asked for, and a token that is no good is known before all else."""
        if not self._looked:
            check_account(self._ctx, self._account)
            self._looked = True

    def _window(self) -> Window:
        return Window.ending(self._ctx.now(), self._account.time_zone, self._options.days_back)

    def _performance(self) -> Result:
        account, window = self._account, self._window()
        self._ctx.log(f"Reading the figures of {account.account_id}, {window} in {account.time_zone or 'UTC'}.")
        ads, totals = read_performance(self._ctx, account, self._reader, window)
        verdict, reason = ads.doubt if ads.doubt[0] != Verdict.OK else totals.doubt
        if verdict == Verdict.OK and not ads.rows:
            verdict, reason = self._empty(window)
        if verdict == Verdict.OK:
            account.last_synced_at = self._ctx.now()
            account.save(update_fields=["last_synced_at"])
        counts = {
            **{name: ads.counts[name] for name in ("new", "changed", "unchanged")},
            "ads_synced": len(ads.ads),
            "account_days": totals.rows,
            "rejected": ads.counts["rejected"] + totals.counts["rejected"],
            "left_out": len(ads.lost) + len(totals.lost),
        }
        words = (
            f"{counted(ads.rows, 'row')} of {counted(len(ads.ads), 'ad')}, {window}."
            if ads.rows
            else f"No ad was shown, {window}."
        )
        setting = totals.setting or ads.setting
        if setting:
            words += f" Purchases by {attribution_words(setting)}."
        return Result(counts, ads.rows, words + _left_out(ads), verdict, reason, setting)

    def _empty(self, window: Window) -> tuple[Verdict, str]:
        """Nothing is an honest answer where nothing was known."""
        known = AdDay.objects.filter(ad_account=self._account, date__range=(window.since, window.until)).count()
        if not known:
            return Verdict.OK, ""
        rows = f"{counted(known, 'row')} of these days {'is' if known == 1 else 'are'} known"
        return Verdict.SUSPICIOUS, f"Meta sent no figures, though {rows}. The token may have lost its rights."

    def _thumbnails(self) -> Result:
        """The ads with their words come first: which thumbnails there are is part of them."""
        forget_video_links(self._account)
        listing = list_ads(self._ctx, self._account, self._reader, good_for=timedelta(0))
        got = store_roles(self._ctx, self._account, [Role.THUMBNAIL, Role.POSTER], THUMBNAILS, FreshLinks(self._reader))
        held = self._held(Role.THUMBNAIL, Role.POSTER)
        verdict, reason = listing.doubt if listing.vanished else doubt(got, held)
        counts = {
            "ads": listing.counts["ads"],
            "new_ads": listing.counts["new_ads"],
            "ads_not_read": listing.counts["rejected"] + listing.counts["skipped"],
            "files": got.files,
        }
        return Result(counts, held, " ".join(filter(None, [listing.summary, _about("Thumbnails", got)])), verdict, reason)

    def _assets(self) -> Result:
        forget_video_links(self._account)
        listing = list_ads(self._ctx, self._account, self._reader)
        fresh = FreshLinks(self._reader)
        videos = store_roles(self._ctx, self._account, [Role.VIDEO], self._options.videos, fresh)
        pictures = store_roles(self._ctx, self._account, [Role.PICTURE], self._options.images, fresh)
        got, held = together(videos, pictures), self._held(Role.VIDEO, Role.PICTURE)
        verdict, reason = listing.doubt if listing.vanished else doubt(got, held)
        return Result(
            {"files": got.files, "not_stored": sum(got.not_stored.values())},
            held,
            _about("Pictures and videos", got),
            verdict,
            reason,
        )

    def _held(self, *roles: AdMedia.Role) -> int:
        return places(self._account).filter(role__in=roles, status=MediaStatus.STORED).count()

    def _demographics(self) -> Result:
        found = read_demographics(self._ctx, self._account, self._reader, self._window())
        verdict, reason = found.doubt
        counts = {"demographic_rows": found.rows, "rejected": found.counts["rejected"]}
        words = f"{counted(found.rows, 'row')} by age, gender and place." if found.rows else ""
        return Result(counts, found.rows, words + _left_out(found), verdict, reason)

    def _classifications(self) -> Result:
        listing: Listing = list_ads(self._ctx, self._account, self._reader)
        found = classify_ads(self._ctx, self._account)
        verdict, reason = listing.doubt
        words = f"{counted(found['classified'], 'ad')} classified." if found["classified"] else ""
        return Result({"classified": found["classified"]}, found["known"], words, verdict, reason)


def take_account(ctx: Context, account: AdAccount) -> None:
    """A run for one account and one for all of the brand's have different keys: the account itself says which is at it.

    BlockedError if another one is. What that run has done is not done again, and it ends by itself. A download of the account's
    files may run beside it: it is free, both write the same rows by id, and of a file that both fetch the first one counts.
    """
    with transaction.atomic():
        locked = AdAccount.objects.select_for_update().get(pk=account.pk)
        at_it = Run.objects.filter(pk=locked.syncing_run_id or 0, status__in=[RunStatus.RUNNING, RunStatus.WAITING])
        if other := at_it.exclude(pk=ctx.run.pk).first():
            words = f"Run {other.pk} is syncing {account.account_id}. This run continues by itself when that one has ended."
            raise BlockedError(words, BUSY_SECONDS, limited=False)
        locked.syncing_run = ctx.run
        locked.save(update_fields=["syncing_run"])


def _about(what: str, got: Stored) -> str:
    return f"{what}: {got.summary}" if got.summary else ""


def _left_out(found: Found) -> str:
    names: Any = dict.fromkeys(one.name for one in found.lost if one.name)
    return f" Meta left out: {', '.join(names)}." if names else ""
