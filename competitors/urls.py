from django.urls import path

from .views import amazon, amazon_urls, browse, reviews, scrape

competitor = "competitors/<slug:brand>/<uuid:competitor>/"
listing = competitor + "amazon/<uuid:url>/"

urlpatterns = [
    path("competitors/", browse.brands, name="competitors"),
    path("competitors/<slug:brand>/", browse.competitors, name="brand_competitors"),
    path(competitor, browse.competitor, name="competitor"),
    path(competitor + "amazon/", amazon.tab, name="amazon"),
    path(competitor + "amazon/live/", amazon.live, name="amazon_live"),
    path(competitor + "amazon/updates/", amazon.updates, name="amazon_updates"),
    path(competitor + "amazon/add/", amazon_urls.add, name="amazon_add"),
    path(competitor + "amazon/legacy/", scrape.legacy, name="legacy"),
    path(listing + "edit/", amazon_urls.edit, name="amazon_edit"),
    path(listing + "remove/", amazon_urls.remove, name="amazon_remove"),
    path(listing + "scrape/", scrape.scrape_reviews, name="scrape_reviews"),
    path(listing + "reviews/", reviews.review_list, name="reviews"),
    path(listing + "reviews.csv", reviews.review_csv, name="reviews_csv"),
]
