from django.urls import path

from competitors.views.requirements import Requirement, require
from competitors.views.subjects import views
from pipeline.views.exports.lists import csv_view

from . import file_column, listing, reviews  # noqa: F401  file_column registers itself
from .tab import tab

amazon = "competitors/<slug:brand>/<uuid:competitor>/amazon/"
one = amazon + "<uuid:url>/"

require("reviews", Requirement.of(tab), "Reviews of a listing")

urlpatterns = [
    *views.urls(tab, amazon),
    path(amazon + "add/", listing.add, name="amazon_add"),
    path(one + "edit/", listing.edit, name="amazon_edit"),
    path(one + "remove/", listing.remove, name="amazon_remove"),
    path(one + "reviews/", reviews.review_list, name="reviews"),
    path(one + "reviews.csv", csv_view(reviews.review_file), name="reviews_csv"),
]
