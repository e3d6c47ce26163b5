from django.urls import include, path

from .views import browse

urlpatterns = [
    path("competitors/", browse.brands, name="competitors"),
    path("competitors/<slug:brand>/", browse.competitors, name="brand_competitors"),
    path("competitors/<slug:brand>/<uuid:competitor>/", browse.competitor, name="competitor"),
    # One line per job type with pages. Each names its own addresses from the site's root.
    path("", include("competitors.jobs.competitor_scrape.views.urls")),
    path("", include("competitors.jobs.amazon_review_scrape.views.urls")),
]
