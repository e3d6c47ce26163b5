"""A brand's own ads, as Meta's Graph API shows them to those who run them."""

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from django.core.validators import RegexValidator
from django.db import models, transaction
from django.urls import reverse

from pipeline.models import Brand, Run
from pipeline.models.fields import ForeignCharField, ForeignTextField, MessageField

LONGEST_ATTRIBUTION = 28  # days; the longest window that Meta has
MOST_GAPS = 1_000  # that are kept of one part


def attribution_words(setting: str) -> str:
    """ "7d_click_1d_view" as "7-day click, 1-day view"; anything else as Meta has it."""
    return ", ".join(f"{days}-day {what}" for days, what in _windows(setting)) or setting


def _windows(setting: str) -> list[tuple[str, str]]:
    """Days, and click or view. None if any part of the setting is not of this form."""
    windows = re.findall(r"([0-9]{1,2})d_(click|view)", setting)
    return windows if "_".join(f"{days}d_{what}" for days, what in windows) == setting else []


class AdAccount(models.Model):
    """An account at Meta that a brand's ads run in. The API's token is a setting, never a column."""

    class TokenState(models.TextChoices):
        VALID = "valid", "Valid"
        EXPIRES = "expires", "Expires soon"
        EXPIRED = "expired", "Expired"
        BLOCKED = "blocked", "Blocked at Meta"
        MISSING = "missing", "No token"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="ad_accounts")
    account_id = ForeignCharField(
        max_length=40,
        validators=[RegexValidator(r"^act_[0-9]{1,30}\Z", "An ad account's id is act_ and digits, such as act_1234567890.")],
        verbose_name="ad account id",
        help_text="As in the address of Meta's Ads Manager, with act_ in front.",
    )
    name = ForeignCharField(max_length=200, blank=True, default="")
    currency = ForeignCharField(max_length=3, blank=True, default="")
    time_zone = ForeignCharField(max_length=60, blank=True, default="", help_text="Meta counts the account's days in it.")
    attribution_setting = ForeignCharField(max_length=60, blank=True, default="", help_text="What purchases are counted by.")
    token_state = models.CharField(
        max_length=8, choices=TokenState, blank=True, default="", help_text="Empty: not looked up yet."
    )
    token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When Meta was last asked about it.")
    last_synced_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When its performance was last read.")
    ads_listed_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When its list of ads was read whole.")
    last_downloaded_at = models.DateTimeField(null=True, blank=True, editable=False)
    syncing_run = models.ForeignKey(
        "pipeline.Run",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="The run that syncs it, or did so last: no two are at it at once.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "pk"]
        permissions = [("scrape_adaccount", "Can sync ad accounts, and download their pictures and videos")]
        constraints = [models.UniqueConstraint(fields=["brand", "account_id"], name="ad_account_once_per_brand")]

    def __str__(self) -> str:
        return self.name or self.account_id

    @property
    def attribution_words(self) -> str:
        return attribution_words(self.attribution_setting)

    @property
    def attribution_days(self) -> int:
        """For how many days the numbers of a day still change: purchases are counted for so long after an ad was shown."""
        return max((int(days) for days, _ in _windows(self.attribution_setting)), default=LONGEST_ATTRIBUTION)

    def get_absolute_url(self) -> str:
        return f"{reverse('research', args=[self.brand.slug])}#ad-account-{self.pk}"

    def performance_url(self) -> str:
        """Its row on the page of what its ads did, which then shows this account."""
        return f"{reverse('performance', args=[self.brand.slug])}?account={self.account_id}#ad-account-{self.pk}"


class BrandAd(models.Model):
    """An ad of an ad account."""

    ad_account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="ads")
    ad_id = ForeignCharField(max_length=40)
    name = ForeignTextField(blank=True, default="")
    status = ForeignCharField(max_length=40, blank=True, default="", help_text="Meta's effective_status.")
    is_video = models.BooleanField(default=False)
    video_id = ForeignCharField(max_length=40, blank=True, default="")
    creative_id = ForeignCharField(max_length=40, blank=True, default="")
    title = ForeignTextField(blank=True, default="")
    body = ForeignTextField(blank=True, default="")
    link_url = ForeignTextField(blank=True, default="", help_text="http(s) only.")
    display_format = ForeignCharField(max_length=40, blank=True, default="", help_text="Meta's object_type.")
    campaign_id = ForeignCharField(max_length=40, blank=True, default="")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When it was made.")
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When its campaign or ad set ends; Meta calls it active even then."
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey("pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-last_seen_at", "ad_id"]
        constraints = [models.UniqueConstraint(fields=["ad_account", "ad_id"], name="brand_ad_once_per_account")]

    def __str__(self) -> str:
        return self.name or f"Ad {self.ad_id}"


class AdGapManager(models.Manager["AdGap"]):
    @transaction.atomic
    def replace(self, account: AdAccount, part: "AdGap.Part", gaps: Mapping[str, str], run: Run, at: datetime) -> None:
        """What a reading of this part could not get, each with the reason. What is still missing keeps its first run."""
        gaps = dict(islice(gaps.items(), MOST_GAPS))
        of_part = self.filter(ad_account=account, part=part)
        of_part.exclude(what__in=gaps).delete()
        known = set(of_part.values_list("what", flat=True))
        new = [
            AdGap(ad_account=account, part=part, what=what, reason=gaps[what], run=run, since=at) for what in gaps.keys() - known
        ]
        self.bulk_create(new, ignore_conflicts=True)


class AdGap(models.Model):
    """What Meta could not give of an ad account at the last reading, while the rest came."""

    class Part(models.TextChoices):
        """What was read."""

        FIGURES = "figures", "Figures"
        ADS = "ads", "List of ads"
        DEMOGRAPHICS = "demographics", "Demographics"

    ad_account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="gaps", db_index=False)
    part = models.CharField(max_length=12, choices=Part)
    what = ForeignCharField(max_length=120, help_text="A field of Meta's, an ad, or days.")
    reason = MessageField(blank=True, default="")
    since = models.DateTimeField(help_text="When it was first missing.")
    run = models.ForeignKey(
        "pipeline.Run",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="The run that first missed it.",
    )

    objects = AdGapManager()

    class Meta:
        ordering = ["since", "pk"]
        constraints = [models.UniqueConstraint(fields=["ad_account", "part", "what"], name="ad_gap_once")]

    def __str__(self) -> str:
        return self.what
