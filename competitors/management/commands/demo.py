"""Runs the whole product on one machine against the sandbox: a run of each job type, from click to rows."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from competitors.jobs.amazon_review_scrape.job import NAME
from competitors.jobs.asset_download import job as asset_download
from competitors.jobs.competitor_scrape import job as competitor_scrape
from competitors.jobs.meta_sync import job as meta_sync
from competitors.jobs.reddit_scrape import job as reddit_scrape
from competitors.jobs.template_scrape import job as template_scrape
from competitors.models import (
    AdAccount,
    Competitor,
    CompetitorAdLibrary,
    CompetitorAmazonUrl,
    Persona,
    RedditResearch,
    TemplateCategory,
    TemplateNiche,
)
from competitors.reading.ad_library import clean_address
from pipeline import api, queries
from pipeline.contract import get_type
from pipeline.models import Brand, Run, RunLog
from pipeline.states import RunStatus, Verdict
from pipeline.words import to_the_second

USER = "operator"
SEARCH = "https://www.facebook.com/ads/library/?active_status=active&ad_type=all&country=US&q=dog%20chews"
AD_LIST = "https://www.facebook.com/ads/library/?active_status=active&ad_type=all&country=ALL&view_all_page_id=248734494998159"
AD_ACCOUNT = "act_1234567890"
RESEARCH = {
    "search_queries": ["dog afraid of fireworks", "calming chews for dogs"],
    "subreddits": ["dogs", "AnxiousDogs"],
    "topic_context": "Dogs that are afraid of loud noise, and what owners tried at home",
    "max_posts": 120,
    "min_upvotes": 10,
    "min_comments": 3,
    "top_percentile": 0.4,
}
START_SECONDS, RUN_SECONDS = 60, 300
PAGE_SECONDS = 3  # the sandbox takes this long for a page of items
PATIENCE = timedelta(minutes=1)  # a run that is due later, such as one that waits for tomorrow's money, is not waited for


class Command(BaseCommand):
    help = "Start sandbox, worker and web on this machine, fill every page by a run of each job type, and leave the site up."
    requires_system_checks = []  # the child processes run them; the database may not exist yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop after the runs; exit 0 only if all were good")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo runs with DEBUG=1 only: it starts the sandbox and prints a password.")
        self.logs = Path(settings.BASE_DIR) / "demo-logs"
        self.logs.mkdir(exist_ok=True)
        children: list[subprocess.Popen[bytes]] = []
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            self.say("1/4 Database (some seconds)")
            call_command("migrate", verbosity=0)
            listing, password = self.fill()
            self.say("2/4 Sandbox, worker, web (some seconds)")
            sandbox, site = self.start(children)
            self.say(f"\n  Open  {site}{reverse('amazon', args=[listing.competitor.brand.slug, listing.competitor_id])}")
            self.say(f"  User  {USER}\n  Pass  {password}\n\nPress Ctrl-C to stop. Logs: {self.logs}\n")
            others = self.fill_other_pages(listing.competitor.brand, site)
            saved = self.scraped_before(listing) or self.scrape(listing, sandbox)
            filled = self.wait_for_runs(others)
            self.say("4/4 " + ("The reviews are saved." if saved else "The scrape brought no reviews. Its run's page says why."))
            if not filled:
                self.say("Not all other pages could be filled. The pages of their runs say why.")
            if options["once"] and not (saved and filled):
                raise CommandError(f"A run failed. Logs: {self.logs}")
            if not options["once"]:
                self.say("The site stays up until you press Ctrl-C.")
                self.watch(children)
        except KeyboardInterrupt:
            self.say("\nStopping.")
        finally:
            self.end(children)

    def fill(self) -> tuple[CompetitorAmazonUrl, str]:
        """Create a brand with an ad account, a competitor with an ad list and listings, and a user with a new password."""
        brand, _ = Brand.objects.get_or_create(slug="northpaw", defaults={"name": "Northpaw"})
        competitor, _ = Competitor.objects.get_or_create(brand=brand, name="Barkwell")
        listing, _ = CompetitorAmazonUrl.objects.get_or_create(
            competitor=competitor,
            asin="B09XK4T2LM",
            defaults={"amazon_url": "https://www.amazon.com/dp/B09XK4T2LM", "domain_code": "com"},
        )
        CompetitorAmazonUrl.objects.get_or_create(
            competitor=competitor,
            asin="B0CQ7Z8M4T",
            defaults={"amazon_url": "https://www.amazon.com.au/dp/B0CQ7Z8M4T", "domain_code": "com.au"},
        )
        CompetitorAdLibrary.objects.get_or_create(competitor=competitor, url=clean_address(AD_LIST))
        AdAccount.objects.get_or_create(brand=brand, account_id=AD_ACCOUNT)
        persona, _ = Persona.objects.get_or_create(brand=brand, name="Worried owner, first dog")
        research = {**RESEARCH, "persona": persona, "auto_sync_to_persona": True}
        RedditResearch.objects.get_or_create(brand=brand, name="Thunder and fireworks", defaults=research)
        password = secrets.token_urlsafe(9)
        user, _ = get_user_model().objects.get_or_create(username=USER, defaults={"is_staff": True, "is_superuser": True})
        user.set_password(password)
        user.save()
        return listing, password

    def start(self, children: list[subprocess.Popen[bytes]]) -> tuple[str, str]:
        sandbox_port, site_port = free_port(8600), free_port(8000)
        sandbox, site = f"http://127.0.0.1:{sandbox_port}", f"http://127.0.0.1:{site_port}"
        environment = {
            **os.environ,
            "DEBUG": "1",
            "APIFY_API_URL": sandbox,
            "APIFY_TOKEN": "demo",
            "META_GRAPH_URL": f"{sandbox}/graph",
            "META_ACCESS_TOKEN": "demo",
            "MEDIA_EXTRA_HOSTS": sandbox.removeprefix("http://"),
            "PYTHONUNBUFFERED": "1",
            "PIPELINE_SETTLE_SECONDS": "2",
            "PIPELINE_POLL_SECONDS": "1",
        }
        commands = {
            # Slow pages, so that a worker is seen, and can be killed, while it saves.
            "sandbox": ["sandbox", "--port", str(sandbox_port), "--faults", f"slow={PAGE_SECONDS}@/datasets/"],
            "worker": ["worker"],
            "web": ["web", "--listen", f"127.0.0.1:{site_port}"],
        }
        for name, arguments in commands.items():
            with (self.logs / f"{name}.log").open("wb") as log:
                children.append(
                    subprocess.Popen(  # noqa: S603  our own manage.py
                        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments],
                        env=environment,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,  # Ctrl-C must not reach them: end() stops them
                    )
                )
        for address in (sandbox, site):
            self.wait_for(address, children)
        return sandbox, site

    def wait_for(self, address: str, children: list[subprocess.Popen[bytes]]) -> None:
        """Wait until the address accepts a connection."""
        host, port = address.removeprefix("http://").split(":")
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            self.alive(children)
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                return
            time.sleep(0.1)
        raise CommandError(f"{address} did not answer within {START_SECONDS} s. Logs: {self.logs}")

    def scraped_before(self, listing: CompetitorAmazonUrl) -> bool:
        """Whether an earlier demo has saved its reviews. Then this one goes on from there."""
        good = queries.good_runs_of(NAME, listing.competitor.brand_id, str(listing.pk), listing.about)
        if good:
            self.say(f"3/4 Run {good[0].pk} of an earlier demo has scraped {listing.asin}.")
        return bool(good)

    def fill_other_pages(self, brand: Brand, site: str) -> list[Run]:
        """Queue what fills the other pages, unless an earlier demo did. Another worker does it meanwhile."""
        for name in ("Product in use", "Before and after", "Testimonial", "Offer"):
            TemplateCategory.objects.get_or_create(name=name)
        for name in ("Home and kitchen", "Outdoor", "Pets"):
            TemplateNiche.objects.get_or_create(name=name)
        library = CompetitorAdLibrary.objects.get(competitor__brand=brand)
        asked: list[tuple[Brand | None, str, dict[str, Any], str]] = [
            (brand, asset_download.NAME, {"ad_account_id": AD_ACCOUNT}, reverse("research", args=[brand.slug])),
            (
                brand,
                competitor_scrape.NAME,
                {"competitor_id": str(library.competitor_id), "ad_library_url": library.url, "max_ads": 60, "max_media": 40},
                reverse("ads", args=[brand.slug, library.competitor_id]),
            ),
            (brand, meta_sync.NAME, {"days_back": 30}, reverse("performance", args=[brand.slug])),
            (
                brand,
                reddit_scrape.NAME,
                RedditResearch.objects.get(brand=brand, name="Thunder and fireworks").parameters(),
                reverse("reddit", args=[brand.slug]),
            ),
            (None, template_scrape.NAME, {"search_url": SEARCH, "max_ads": 20, "images_only": False}, reverse("templates")),
        ]
        user = get_user_model().objects.get(username=USER)
        runs = []
        for owner, job_type, parameters, page in asked:
            if not Run.objects.filter(job_type=job_type, status=RunStatus.COMPLETED).exists():
                runs.append(api.queue_one_time_job(owner.pk if owner else None, job_type, parameters, created_by=user).run)
            self.say(f"  {get_type(job_type).label}: {site}{page}")
        return runs

    def wait_for_runs(self, runs: list[Run]) -> bool:
        """Whether all of them brought what they were to bring."""
        end = time.monotonic() + RUN_SECONDS
        for run in runs:
            while run.is_live and time.monotonic() < end:
                time.sleep(0.2)
                run.refresh_from_db()
            self.say(f"    Run {run.pk} ({get_type(run.job_type).label}): {run.summary or run.get_status_display().lower()}")
        return all(run.status == RunStatus.COMPLETED and run.verdict == Verdict.OK for run in runs)

    def scrape(self, listing: CompetitorAmazonUrl, sandbox: str) -> bool:
        """Queue the scrape as a click would, and follow it. True if it saved reviews.

        A run that an earlier demo left under way is followed first. It fails if its upstream run ended with that demo's sandbox.
        """
        self.say(f"3/4 Scraping reviews of {listing.asin} from the sandbox at {sandbox} (about a minute)")
        user = get_user_model().objects.get(username=USER)
        parameters = {"competitor_amazon_url_id": str(listing.pk), "asin": listing.asin}
        queued = api.queue_one_time_job(listing.competitor.brand_id, NAME, parameters, created_by=user)
        saved = self.follow(queued.run, listing)
        if not saved and not queued.created and not queued.run.is_live:
            queued = api.queue_one_time_job(listing.competitor.brand_id, NAME, parameters, created_by=user)
            saved = self.follow(queued.run, listing)
        return saved

    def follow(self, run: Run, listing: CompetitorAmazonUrl) -> bool:
        """Print the run's log until it ends. True if the run saved reviews."""
        seen, note = 0, ""
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end:
            run.refresh_from_db()
            for line in RunLog.objects.filter(run=run, seq__gt=seen):
                self.say(f"    {to_the_second(line.at)} {line.level:7} {line.message}")
                seen = line.seq
            progress = run.progress.get("note") or ""
            if progress and progress != note:
                note = progress
                self.say(f"    {to_the_second()} Apify: {progress}")
            if not run.is_live or (run.status == RunStatus.PENDING and run.due_at > timezone.now() + PATIENCE):
                break
            time.sleep(0.2)
        reviews = listing.reviews().count()
        self.say(
            f"    Run {run.pk}: {run.get_status_display().lower()}, counts {run.counts}, cost"
            f" ${run.cost_actual or 0}. The listing has {reviews} reviews."
        )
        return run.status == RunStatus.COMPLETED and run.verdict == Verdict.OK and reviews > 0

    def watch(self, children: list[subprocess.Popen[bytes]]) -> None:
        while True:
            self.alive(children)
            time.sleep(1)

    def alive(self, children: list[subprocess.Popen[bytes]]) -> None:
        for child in children:
            if child.poll() is not None:
                raise CommandError(f"{child.args!r} exited with {child.returncode}. Logs: {self.logs}")

    def end(self, children: list[subprocess.Popen[bytes]]) -> None:
        """Stop web and worker before the sandbox, so that the worker can hand back its runs."""
        for child in reversed(children):
            if child.poll() is None:
                child.terminate()
        for child in reversed(children):
            try:
                child.wait(settings.PIPELINE_GRACE_SECONDS + 10)
            except subprocess.TimeoutExpired:
                child.kill()

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def free_port(wanted: int) -> int:
    """The wanted port, or any free one if it is taken."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise CommandError("This machine has no free port.")
