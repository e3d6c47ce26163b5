from django.urls import path

from competitors.views.requirements import Requirement, require
from competitors.views.subjects import views
from pipeline.views.exports.lists import csv_view

from . import ads, file_column, library  # noqa: F401  file_column registers itself
from .tab import tab

base = "competitors/<slug:brand>/<uuid:competitor>/ads/"

require("ad_list", Requirement.of(tab), "Ads of a competitor")

urlpatterns = [
    *views.urls(tab, base),
    path(base + "add/", library.add, name="ads_add"),
    path(base + "<uuid:pk>/remove/", library.remove, name="ads_remove"),
    path(base + "list/", ads.ad_list, name="ad_list"),
    path(base + "list.csv", csv_view(ads.ad_file), name="ad_list_csv"),
]
