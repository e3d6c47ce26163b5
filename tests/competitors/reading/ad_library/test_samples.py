"""Thirty real ads, in the actor's old form and in its present one."""

import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from competitors.reading.ad_library import Ad, parse_ad
from tests.factories import read_items

pytestmark = pytest.mark.needs_samples


def read(name) -> list[Ad]:
    found = [parse_ad(item) for item in read_items(Path(os.environ["SAMPLES_DIR"]) / name)]
    ads = [ad for ad in found if isinstance(ad, Ad)]
    assert len(ads) == len(found)
    return ads


@pytest.fixture
def snake():
    return read("meta_ads_snake.jsonl")


def test_every_real_ad_is_read_in_full(snake):
    assert len({ad.ad_archive_id for ad in snake}) == 30
    assert all(ad.body and ad.page_name and ad.is_active and ad.platforms and ad.media for ad in snake)
    assert not any(ad.unread or ad.ended_on for ad in snake)
    assert min(ad.started_on for ad in snake) >= date(2023, 1, 1)
    assert Counter(ad.display_format for ad in snake) == {"VIDEO": 19, "MULTI_IMAGES": 5, "IMAGE": 5, "CAROUSEL": 1}
    assert sum(1 for ad in snake if ad.variants) == 26


def test_the_old_form_of_the_same_ads_gives_the_same(snake):
    assert read("meta_ads_camel.jsonl") == snake


def test_a_carousel_has_a_picture_per_card(snake):
    carousel = next(ad for ad in snake if ad.display_format == "CAROUSEL")
    assert [(link.role, link.position) for link in carousel.media] == [("picture", n) for n in range(4)]
