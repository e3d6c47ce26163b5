from django.urls import include, path

from pipeline.views.exports.lists import csv_view

from .views import browse, media, search  # noqa: F401  the search registers itself
from .views.brands import ad_accounts, archive, edit
from .views.brands.csv_file import views as csv_file

urlpatterns = [
    path("competitors/", browse.brands, name="competitors"),
    path("competitors/<slug:brand>/", browse.competitors, name="brand_competitors"),
    path("competitors/<slug:brand>/edit/", edit.brand, name="brand_edit"),
    path("competitors/<slug:brand>/subreddits/", edit.add_subreddits, name="brand_subreddits"),
    path("competitors/<slug:brand>/subreddits/<int:pk>/remove/", edit.remove_subreddit, name="brand_subreddit_remove"),
    path("competitors/<slug:brand>/archive/", archive.brand, name="brand_archive"),
    path("competitors/<slug:brand>/import/", csv_file.upload, name="competitors_import"),
    path("competitors/<slug:brand>/competitors.csv", csv_view(csv_file.brands_file), name="competitors_csv"),
    path("competitors/brands.csv/import/", csv_file.upload, name="brands_import"),
    path("competitors/brands.csv", csv_view(csv_file.brands_file), name="brands_csv"),
    path("competitors/<slug:brand>/restore/", archive.brand_back, name="brand_restore"),
    path("competitors/<slug:brand>/<uuid:competitor>/", browse.competitor, name="competitor"),
    path("competitors/<slug:brand>/<uuid:competitor>/edit/", edit.competitor, name="competitor_edit"),
    path("competitors/<slug:brand>/<uuid:competitor>/archive/", archive.competitor, name="competitor_archive"),
    path("competitors/<slug:brand>/<uuid:competitor>/restore/", archive.competitor_back, name="competitor_restore"),
    path("brands/<slug:brand>/ad-accounts/link/", ad_accounts.link, name="account_link"),
    path("media/<int:pk>/", media.ad_media, name="media"),
    # One line per job type with pages. Each names its own addresses from the site's root.
    path("", include("competitors.jobs.asset_download.views.urls")),
    path("", include("competitors.jobs.competitor_scrape.views.urls")),
    path("", include("competitors.jobs.amazon_review_scrape.views.urls")),
    path("", include("competitors.jobs.meta_sync.views.urls")),
    path("", include("competitors.jobs.template_scrape.views.urls")),
    path("", include("competitors.jobs.reddit_scrape.views.urls")),
]
