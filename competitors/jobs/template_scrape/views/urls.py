from django.urls import path

from competitors.models import TemplateCandidate
from competitors.views.requirements import Requirement, require
from pipeline.contract import get_type
from pipeline.views.exports.lists import csv_view

from ..job import DATASET, NAME
from . import library, one, pictures, queue, upload
from .finding import ingest, schedules
from .frame import OF_STATUS

needed = Requirement(NAME, DATASET, noun="search", verb="Find ads", max_age=get_type(NAME).max_age)
for page, title in (("templates", "Template Queue"), (ingest.PAGE, "Find ads")):
    require(page, needed, title)
base = "templates/"
lists = [(status, name) for status, (_, name) in OF_STATUS.items() if status != TemplateCandidate.Status.PENDING]

urlpatterns = [
    path(base, queue.pending, name="templates"),
    *(path(f"{base}{status}/", library.templates, {"status": status}, name=name) for status, name in lists),
    *(
        path(f"{base}{status}.csv", csv_view(library.templates_file), {"status": status}, name=f"{name}_csv")
        for status, name in lists
    ),
    path(base + "decisions/", queue.decisions, name="template_decisions"),
    path(base + "undo/<uuid:batch>/", queue.undo_decision, name="template_undo"),
    path(base + "<int:pk>/", one.template, name="template"),
    path(base + "<int:pk>/media/", pictures.template_media, name="template_media"),
    path(base + "not-stored/", pictures.not_stored_list, name="template_not_stored"),
    path(base + "not-stored/<int:pk>/again/", pictures.again, name="template_again"),
    path(base + "find/", ingest.ingest, name="template_ingest"),
    path(base + "find/price/", ingest.price, name="template_price"),
    path(base + "find/live/", ingest.live, name="template_runs"),
    path(base + "upload/", upload.upload, name="template_upload"),
    path(base + "schedules/", schedules.schedules, name="template_schedules"),
    path(base + "schedules/new/", schedules.edit, name="template_schedule_new"),
    path(base + "schedules/<int:pk>/", schedules.edit, name="template_schedule"),
]
