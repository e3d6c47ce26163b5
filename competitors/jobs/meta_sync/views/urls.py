from django.urls import path

from competitors.views.subjects import views
from pipeline.views.exports.lists import csv_view

from . import accounts, days, export, one
from .page import page

base = "ads/<slug:brand>/"

urlpatterns = [
    path("ads/", accounts.brands, name="performance_brands"),
    *views.urls(page, base),
    path(base + "<int:pk>/sync/", accounts.sync, name="performance_sync"),
    path(base + "attention/", accounts.rules, name="performance_rules"),
    path(base + "days/", days.days, name="performance_days"),
    path(base + "ads.csv", csv_view(export.ad_file), name="performance_csv"),
    path(base + "ad/<str:ad_id>/", one.ad, name="performance_ad"),
]
