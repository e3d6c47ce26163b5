"""What is watched can be refreshed by who knows only its job type."""

import pytest

from pipeline import api
from pipeline.contract.parameters import clean_parameters
from pipeline.contract.registry import all_types
from pipeline.models import Brand
from tests.pipeline.models.rows import row_of_every_model

pytestmark = pytest.mark.django_db


def test_the_parameters_of_every_subject_name_just_that_subject():
    row_of_every_model()
    search = {"search_url": "https://www.facebook.com/ads/library/?q=kettle&country=US", "max_ads": 50}
    api.ensure_recurring_job(None, "template_scrape", "0 6 * * *", search)
    brands = {None: None, **Brand.objects.in_bulk()}
    known = {}
    for handler in all_types():
        for brand_id, subject in handler.subjects_of(brands.values()):
            if subject.key:
                brand = brands[brand_id]
                named = handler.subject(brand, clean_parameters(handler.Params, subject.parameters, brand))
                known[handler.name] = (named.key, named.about) == (subject.key, subject.about)
    kinds = {"amazon_review_scrape", "asset_download", "competitor_scrape", "meta_sync", "reddit_scrape", "template_scrape"}
    assert known == dict.fromkeys(kinds, True)
