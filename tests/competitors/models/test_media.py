"""The database refuses rows of media that cannot be."""

import pytest
from django.db import IntegrityError, transaction

from competitors.models import Media, MediaReason, MediaStatus
from competitors.models.media import STATUS_OF

pytestmark = pytest.mark.django_db
GOOD = {"sha256": "a" * 64, "kind": "image", "file": "aa/a.png", "bytes": 1, "mime": "image/png", "width": 1, "height": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "a" * 64, "file": "other.png"},
        {"sha256": "b" * 64, "bytes": 0},
        {"sha256": "b" * 64, "kind": "video"},
        {"sha256": "b" * 64, "kind": "page", "mime": "text/html"},
        {"sha256": "b" * 64, "width": None},
        {"sha256": "b" * 64, "height": None},
        {"sha256": "b" * 64, "width": 0},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_is_refused(wrong):
    Media.objects.create(**GOOD)
    with pytest.raises(IntegrityError), transaction.atomic():
        Media.objects.create(**GOOD | wrong)


def test_the_sides_of_a_video_may_be_unknown():
    Media.objects.create(**GOOD | {"kind": "video", "mime": "video/mp4", "width": None, "height": None})


def test_every_reason_has_its_status_and_its_own_words():
    assert set(STATUS_OF) == set(MediaReason)
    assert set(STATUS_OF.values()) == {MediaStatus.UNAVAILABLE, MediaStatus.FAILED, MediaStatus.REFUSED}
    assert len({reason.label for reason in MediaReason}) == len(MediaReason)
