from django.contrib import admin
from django.urls import include, path, re_path
from django.views.defaults import page_not_found

urlpatterns = [
    # Django's redirect to any row's page, by its id: it would tell of brands that are not open.
    re_path(r"^admin/r/", page_not_found, {"exception": None}, name="admin_redirect"),
    path("admin/", admin.site.urls),
    path("", include("pipeline.urls")),
    path("", include("competitors.urls")),
]
