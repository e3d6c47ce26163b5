from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pipeline.models.fields import ForeignTextField, MessageField


class MediaStatus(models.TextChoices):
    """What became of a picture or video that an ad shows."""

    WAITING = "waiting", "Waiting"
    STORED = "stored", "Stored"
    UNAVAILABLE = "unavailable", "Unavailable"  # trying the same link again would end the same way
    FAILED = "failed", "Failed"  # the next run tries again
    REFUSED = "refused", "Refused"  # by our own rules


class MediaReason(models.TextChoices):
    """Why it is not stored, with the words for people. Each reason has one status."""

    REMOVED_BY_POLICY = "removed_by_policy", "Removed by Meta for its content"
    NONE_IN_AD = "none_in_ad", "The ad has none"
    EXPIRED = "expired", "The link has expired"
    GONE = "gone", "No longer there"
    NO_SOURCE_FOR_US = "no_source_for_us", "Meta does not give us the file"
    SLOW = "slow", "The download was too slow"
    SERVER_ERROR = "server_error", "The server failed"
    THROTTLED = "throttled", "The server asked us to slow down"
    TOO_BIG = "too_big", "Larger than the limit"
    WRONG_TYPE = "wrong_type", "Not a picture or video that can be stored"
    ADDRESS_REFUSED = "address_refused", "The link leads to an address that is not allowed"

    @property
    def status(self) -> MediaStatus:
        return STATUS_OF[self]


STATUS_OF = {
    MediaReason.REMOVED_BY_POLICY: MediaStatus.UNAVAILABLE,
    MediaReason.NONE_IN_AD: MediaStatus.UNAVAILABLE,
    MediaReason.EXPIRED: MediaStatus.UNAVAILABLE,
    MediaReason.GONE: MediaStatus.UNAVAILABLE,
    MediaReason.NO_SOURCE_FOR_US: MediaStatus.UNAVAILABLE,
    MediaReason.SLOW: MediaStatus.FAILED,
    MediaReason.SERVER_ERROR: MediaStatus.FAILED,
    MediaReason.THROTTLED: MediaStatus.FAILED,
    MediaReason.TOO_BIG: MediaStatus.REFUSED,
    MediaReason.WRONG_TYPE: MediaStatus.REFUSED,
    MediaReason.ADDRESS_REFUSED: MediaStatus.REFUSED,
}


class Media(models.Model):
    """A stored picture or video, once however many ads show it. Its file holds the bytes as they came."""

    class Kind(models.TextChoices):
        IMAGE = "image", "Picture"
        VIDEO = "video", "Video"

    class Mime(models.TextChoices):
        """The types that are stored. Nothing that a browser would run: no HTML, no SVG."""

        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"
        WEBP = "image/webp", "WebP"
        GIF = "image/gif", "GIF"
        MP4 = "video/mp4", "MP4"
        MOV = "video/quicktime", "QuickTime"
        WEBM = "video/webm", "WebM"

    sha256 = models.CharField(max_length=64, unique=True, verbose_name="SHA-256")
    kind = models.CharField(max_length=5, choices=Kind)
    file = models.FileField(help_text="Named by its SHA-256.")
    bytes = models.PositiveBigIntegerField()
    mime = models.CharField(max_length=20, choices=Mime, verbose_name="type", help_text="Read from the content.")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="In pixels; not known of videos.")
    height = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(default=timezone.now, editable=False, help_text="When this content came last.")
    removed_at = models.DateTimeField(
        null=True, editable=False, help_text="The file went because of its age. Empty: it is there."
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "media"
        constraints = [
            models.CheckConstraint(condition=Q(bytes__gt=0), name="media_not_empty"),
            models.CheckConstraint(
                condition=Q(kind="image", mime__startswith="image/") | Q(kind="video", mime__startswith="video/"),
                name="media_type_fits_kind",
            ),
            models.CheckConstraint(
                # The second isnull: a comparison with NULL is neither true nor false, and such a check lets the row pass.
                condition=Q(width__isnull=True, height__isnull=True)
                | Q(width__isnull=False, height__isnull=False, width__gt=0, height__gt=0),
                name="media_has_both_sides_or_none",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_mime_display()} {self.sha256[:12]}"


class AdMedia(models.Model):
    """A place in an ad that shows a picture or a video: the link to it, and what became of it. The ad is one of three kinds."""

    class Role(models.TextChoices):
        PICTURE = "picture", "Picture"
        VIDEO = "video", "Video"
        POSTER = "poster", "Still of a video"
        THUMBNAIL = "thumbnail", "Thumbnail"

        @property
        def kind(self) -> Media.Kind:
            return Media.Kind.VIDEO if self == self.VIDEO else Media.Kind.IMAGE

    OWNERS = ("competitor_ad", "library_ad", "brand_ad")

    competitor_ad = models.ForeignKey(
        "competitors.CompetitorAd", null=True, blank=True, on_delete=models.CASCADE, related_name="media", db_index=False
    )
    library_ad = models.ForeignKey(
        "competitors.LibraryAd", null=True, blank=True, on_delete=models.CASCADE, related_name="media", db_index=False
    )
    brand_ad = models.ForeignKey(
        "competitors.BrandAd", null=True, blank=True, on_delete=models.CASCADE, related_name="media", db_index=False
    )
    role = models.CharField(max_length=9, choices=Role)
    position = models.PositiveSmallIntegerField(default=0, help_text="Counts the places of an ad from 0.")
    url = ForeignTextField(blank=True, default="", verbose_name="link", help_text="Signed by Meta; it ends within days.")
    expires_at = models.DateTimeField(null=True, blank=True, verbose_name="link expires")
    duration = models.FloatField(null=True, blank=True, help_text="Seconds, if the source tells.")
    media = models.ForeignKey(Media, null=True, blank=True, on_delete=models.PROTECT, related_name="places")
    status = models.CharField(max_length=11, choices=MediaStatus, default=MediaStatus.WAITING)
    reason = models.CharField(max_length=17, choices=MediaReason, blank=True, default="")
    detail = MessageField(blank=True, default="", help_text="What was seen when it could not be stored.")
    tried_at = models.DateTimeField(null=True, blank=True)
    last_run = models.ForeignKey(
        "pipeline.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["position", "role", "pk"]
        verbose_name = "picture or video of an ad"
        verbose_name_plural = "pictures and videos of ads"
        constraints = [
            # An ad's own column is NULL in the rows of the other two kinds, and NULLs do not collide.
            models.UniqueConstraint(fields=["competitor_ad", "role", "position"], name="media_place_of_competitor_ad"),
            models.UniqueConstraint(fields=["library_ad", "role", "position"], name="media_place_of_library_ad"),
            models.UniqueConstraint(fields=["brand_ad", "role", "position"], name="media_place_of_brand_ad"),
            models.CheckConstraint(
                condition=Q(competitor_ad__isnull=False, library_ad__isnull=True, brand_ad__isnull=True)
                | Q(competitor_ad__isnull=True, library_ad__isnull=False, brand_ad__isnull=True)
                | Q(competitor_ad__isnull=True, library_ad__isnull=True, brand_ad__isnull=False),
                name="media_place_of_one_ad",
            ),
            models.CheckConstraint(
                condition=Q(status="stored", media__isnull=False) | (~Q(status="stored") & Q(media__isnull=True)),
                name="stored_place_has_media",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "stored"], reason="")
                | (Q(status__in=["unavailable", "failed", "refused"]) & ~Q(reason="")),
                name="media_place_has_reason_if_not_stored",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["picture", "video", "poster", "thumbnail"]), name="media_place_has_known_role"
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status__in=["waiting", "failed"]), name="media_to_fetch"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.position + 1} of {self.owner}"

    @property
    def owner(self) -> models.Model:
        """The ad."""
        return next(ad for name in self.OWNERS if (ad := getattr(self, name)))

    @property
    def brand_id(self) -> UUID | None:
        """The brand that may see it; None for ads of the library, which belong to none."""
        if self.competitor_ad:
            return self.competitor_ad.competitor.brand_id
        return self.brand_ad.ad_account.brand_id if self.brand_ad else None

    @property
    def can_be_tried(self) -> bool:
        """Whether its link may still bring it. Links of the ad library are not renewed: that would cost a scrape."""
        settled = self.reason in (MediaReason.EXPIRED, MediaReason.NONE_IN_AD, MediaReason.REMOVED_BY_POLICY)
        return bool(self.url) and not settled and self.status != MediaStatus.STORED

    @property
    def kind(self) -> str:
        """What has to come: `Media.Kind`."""
        return self.Role(self.role).kind
