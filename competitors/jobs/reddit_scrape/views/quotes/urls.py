"""Included by the addresses of Reddit Research."""

from django.urls import path

from . import copying, listing, personas

base = "reddit/<slug:brand>/"
one = base + "personas/<int:pk>/"

urlpatterns = [
    path(base + "quotes/", listing.quote_list, name="reddit_quotes"),
    path(base + "quotes.csv", listing.quote_csv, name="reddit_quotes_csv"),
    path(base + "quotes/copy/", copying.copy_quotes, name="reddit_quotes_copy"),
    path(base + "personas/", personas.personas, name="personas"),
    path(one, personas.persona, name="persona"),
    path(one + "quotes.csv", personas.persona_csv, name="persona_csv"),
    path(one + "edit/", personas.edit, name="persona_edit"),
    path(one + "remove/", personas.remove, name="persona_remove"),
    path(one + "take-out/", personas.take_out, name="persona_take_out"),
]
