"""Included by the addresses of Reddit Research."""

from django.urls import path

from pipeline.views.exports.lists import csv_view

from . import copying, listing, personas

base = "reddit/<slug:brand>/"
one = base + "personas/<int:pk>/"

urlpatterns = [
    path(base + "quotes/", listing.quote_list, name="reddit_quotes"),
    path(base + "quotes.csv", csv_view(listing.quote_file), name="reddit_quotes_csv"),
    path(base + "quotes/copy/", copying.copy_quotes, name="reddit_quotes_copy"),
    path(base + "personas/", personas.personas, name="personas"),
    path(one, personas.persona, name="persona"),
    path(one + "quotes.csv", csv_view(personas.persona_file), name="persona_csv"),
    path(one + "edit/", personas.edit, name="persona_edit"),
    path(one + "remove/", personas.remove, name="persona_remove"),
    path(one + "take-out/", personas.take_out, name="persona_take_out"),
]
