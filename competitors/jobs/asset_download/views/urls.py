from django.urls import path

from competitors.views.subjects import views

from . import accounts, files
from .page import page

base = "brands/<slug:brand>/research/"

urlpatterns = [
    path("brands/", accounts.brands, name="research_brands"),
    *views.urls(page, base),
    path(base + "<int:pk>/remove/", accounts.remove, name="research_remove"),
    path(base + "files.zip", files.as_zip, name="research_zip"),
    path(base + "files/<int:pk>/again/", files.try_again, name="research_again"),
]
