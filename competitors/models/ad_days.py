"""What a brand's ads did, day by day, in the account's own days and currency. NULL: Meta sent no value, which is not 0."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from pipeline.models import Brand
from pipeline.models.fields import ForeignCharField, ForeignTextField

from .brand_ads import AdAccount, BrandAd


def money(verbose_name: str | None = None) -> "models.DecimalField[Decimal | None, Decimal | None]":
    """In the account's currency; also a number of purchases, of which Meta may count a part."""
    return models.DecimalField(verbose_name, max_digits=18, decimal_places=4, null=True, blank=True)


class Measures(models.Model):
    """The figures of one day. A figure of a day that is read again replaces the stored one; an absent one does not."""

    class Tier(models.TextChoices):
        """Which of Meta's names the purchases were counted under: the first of these that came."""

        OMNI = "omni_purchase", "All channels"
        PURCHASE = "purchase", "Purchases"
        PIXEL = "offsite_conversion.fb_pixel_purchase", "Website, by pixel"

    date = models.DateField()
    spend = money()
    impressions = models.PositiveBigIntegerField(null=True, blank=True)
    reach = models.PositiveBigIntegerField(null=True, blank=True)  # cannot be summed over days
    clicks = models.PositiveBigIntegerField(null=True, blank=True)
    link_clicks = models.PositiveBigIntegerField(null=True, blank=True)
    purchases = money()
    purchase_value = money()
    purchase_tier = models.CharField(max_length=40, choices=Tier, blank=True, default="")
    add_to_carts = money()
    initiate_checkouts = money()
    landing_page_views = models.PositiveBigIntegerField(null=True, blank=True)
    content_views = models.PositiveBigIntegerField(null=True, blank=True)
    video_plays = models.PositiveBigIntegerField(null=True, blank=True)
    video_views = models.PositiveBigIntegerField(null=True, blank=True, verbose_name="3-second views")
    video_thruplays = models.PositiveBigIntegerField(null=True, blank=True, verbose_name="ThruPlays")
    video_p25 = models.PositiveBigIntegerField(null=True, blank=True)
    video_p50 = models.PositiveBigIntegerField(null=True, blank=True)
    video_p75 = models.PositiveBigIntegerField(null=True, blank=True)
    video_p95 = models.PositiveBigIntegerField(null=True, blank=True)
    video_p100 = models.PositiveBigIntegerField(null=True, blank=True)
    video_seconds = money("average seconds watched")
    attribution = ForeignCharField(max_length=60, blank=True, default="", help_text="The setting that the purchases go by.")
    last_read_at = models.DateTimeField()
    last_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        abstract = True


class AdDay(Measures):
    """An ad's day. The ad may have been deleted since, so there need not be a BrandAd of this id."""

    ad_account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="ad_days", db_index=False)
    ad_id = ForeignCharField(max_length=40)
    ad_name = ForeignTextField(blank=True, default="")
    adset_id = ForeignCharField(max_length=40, blank=True, default="")
    campaign_id = ForeignCharField(max_length=40, blank=True, default="")
    campaign_name = ForeignTextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ad_account", "ad_id", "date"], name="ad_day_once")]
        indexes = [models.Index(fields=["ad_account", "date"], name="ad_days_of_account")]

    def __str__(self) -> str:
        return f"{self.ad_name or self.ad_id}, {self.date}"


class AdMonth(models.Model):
    """The sums of an ad's days of one calendar month, written with them: a page about a year reads these instead."""

    ad_account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="ad_months", db_index=False)
    ad_id = ForeignCharField(max_length=40)
    month = models.DateField(help_text="Its first day.")
    days = models.PositiveSmallIntegerField(help_text="How many days of it have a row.")
    spend = money()
    impressions = models.PositiveBigIntegerField(null=True, blank=True)
    clicks = models.PositiveBigIntegerField(null=True, blank=True)
    link_clicks = models.PositiveBigIntegerField(null=True, blank=True)
    purchases = money()
    purchase_value = money()
    video_views = models.PositiveBigIntegerField(null=True, blank=True, verbose_name="3-second views")
    video_thruplays = models.PositiveBigIntegerField(null=True, blank=True, verbose_name="ThruPlays")
    video_impressions = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of its days with views of a video.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ad_account", "ad_id", "month"], name="ad_month_once")]
        indexes = [models.Index(fields=["ad_account", "month"], name="ad_months_of_account")]

    def __str__(self) -> str:
        return f"{self.ad_id}, {self.month:%B %Y}"


class AccountDay(Measures):
    """The account's own total of a day. It has more than its ads have together: Meta leaves deleted ads out of those."""

    ad_account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="days", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ad_account", "date"], name="account_day_once")]

    def __str__(self) -> str:
        return f"{self.ad_account}, {self.date}"


class AdDemographicDay(models.Model):
    """A part of an ad's day: of one age and gender, or of one platform and place in it."""

    class Kind(models.TextChoices):
        AGE_GENDER = "age_gender", "Age and gender"
        PLACEMENT = "placement", "Platform and position"

    ad_account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="demographic_days", db_index=False)
    ad_id = ForeignCharField(max_length=40)
    date = models.DateField()
    kind = models.CharField(max_length=10, choices=Kind)
    breakdown = ForeignCharField(max_length=120, help_text="Such as 25-34 female, or facebook feed.")
    spend = money()
    impressions = models.PositiveBigIntegerField(null=True, blank=True)
    link_clicks = models.PositiveBigIntegerField(null=True, blank=True)
    purchases = money()
    purchase_value = money()
    last_read_at = models.DateTimeField()
    last_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ad_account", "ad_id", "date", "kind", "breakdown"], name="ad_demographic_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.ad_id}, {self.date}, {self.breakdown}"


class AdClassification(models.Model):
    """What kind of ad it is, told from its words and its form."""

    class Format(models.TextChoices):
        UNKNOWN = "unknown", "Unknown"
        TESTIMONIAL = "testimonial", "Testimonial"
        DEMO = "demo", "Demo"
        PRODUCT = "product", "Product"
        OFFER = "offer", "Offer"
        BEFORE_AFTER = "before_after", "Before and after"
        FOUNDER = "founder", "Founder"
        EDUCATION = "education", "Education"

    class Hook(models.TextChoices):
        UNKNOWN = "unknown", "Unknown"
        QUESTION = "question", "Question"
        NUMBER = "number", "Number or statistic"
        PROBLEM = "problem", "Problem"
        OFFER = "offer", "Offer"
        STORY = "story", "Story"
        SOCIAL_PROOF = "social_proof", "Social proof"
        COMMAND = "command", "Call to act"

    class Awareness(models.TextChoices):
        UNKNOWN = "unknown", "Unknown"
        UNAWARE = "unaware", "Unaware"
        PROBLEM = "problem", "Problem aware"
        SOLUTION = "solution", "Solution aware"
        PRODUCT = "product", "Product aware"
        MOST_AWARE = "most_aware", "Most aware"

    brand_ad = models.OneToOneField(BrandAd, on_delete=models.CASCADE, related_name="classification")
    format = models.CharField(max_length=20, choices=Format, default=Format.UNKNOWN)
    hook = models.CharField(max_length=20, choices=Hook, default=Hook.UNKNOWN)
    awareness = models.CharField(max_length=20, choices=Awareness, default=Awareness.UNKNOWN)
    words_key = models.CharField(max_length=64, editable=False, help_text="A hash of the words that it was told from.")
    version = models.PositiveSmallIntegerField(default=1, help_text="Of the rules.")
    classified_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.brand_ad}: {self.get_format_display()}"


class AttentionRule(models.Model):
    """From when on an ad of a brand needs attention. Amounts are in the account's currency."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, related_name="attention_rule")
    roas_drop_percent = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="ROAS fell by so much."
    )
    roas_min_spend = models.DecimalField(max_digits=12, decimal_places=2, default=50, help_text="And it spent at least this.")
    idle_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1)], help_text="Active, but not shown for so long."
    )
    no_purchase_spend = models.DecimalField(
        max_digits=12, decimal_places=2, default=50, help_text="Spent more without a purchase."
    )

    def __str__(self) -> str:
        return f"Attention: {self.brand}"
