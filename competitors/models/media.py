from django.db import models
from django.db.models import Q


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
