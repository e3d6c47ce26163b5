from django.urls import include, path

from competitors.views.requirements import Requirement, require
from competitors.views.subjects import views
from pipeline.views.exports.lists import csv_view

from .page import page
from .posts import listing
from .saved import edit

base = "reddit/<slug:brand>/"
one = base + "<int:pk>/"

require("reddit_posts", Requirement.of(page), "Reddit posts")

urlpatterns = [
    path("", include("competitors.jobs.reddit_scrape.views.quotes.urls")),
    path("reddit/", edit.brands, name="reddit_brands"),
    *views.urls(page, base),
    path(base + "new/", edit.add, name="reddit_add"),
    path(one + "edit/", edit.edit, name="reddit_edit"),
    path(one + "remove/", edit.remove, name="reddit_remove"),
    path(one + "posts/", listing.post_list, name="reddit_posts"),
    path(one + "posts.csv", csv_view(listing.post_file), name="reddit_posts_csv"),
]
