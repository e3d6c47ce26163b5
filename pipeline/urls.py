from django.contrib.auth import views as auth
from django.urls import path

from .views import search
from .views.exports import files
from .views.exports.lists import csv_view
from .views.manager import active, freshness, health, limits, refresh, subject
from .views.manager.history import audit, bulk_actions, compare, dry_run, edit_run, every_run
from .views.manager.history import one_run as runs
from .views.person import account
from .views.schedules import page as schedules
from .views.schedules.spread import schedule_spread
from .views.watch import metrics, notifications, probes

urlpatterns = [
    path("healthz", probes.alive, name="healthz"),
    path("readyz", probes.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", health.overview, name="overview"),
    path("search/", search.search, name="search"),
    path("theme/", account.theme, name="theme"),
    path("updates/", account.updates, name="updates"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("logout/everywhere/", account.sign_out_of_all, name="logout_everywhere"),
    path("password/", account.ChangePassword.as_view(), name="password"),
    path("pipeline/", health.health, name="health"),
    path("pipeline/live/", health.health_live, name="health_live"),
    path("pipeline/incidents/<int:pk>/", health.incident, name="incident"),
    path("pipeline/incidents/<int:pk>/retry/", health.incident_retry, name="incident_retry"),
    path("pipeline/incidents/<int:pk>/resolve/", health.incident_resolve, name="incident_resolve"),
    path("pipeline/incidents/<int:pk>/snooze/", health.incident_snooze, name="incident_snooze"),
    path("pipeline/outages/<int:pk>/end/", health.outage_end, name="outage_end"),
    path("pipeline/active/", active.page, name="active"),
    path("pipeline/active/live/", active.live, name="active_live"),
    path("pipeline/active/<int:pk>/cancel/", active.cancel, name="active_cancel"),
    path("pipeline/limits/new/", limits.new, name="limit_new"),
    path("pipeline/limits/<int:pk>/", limits.change, name="limit"),
    path("pipeline/pauses/new/", limits.pause, name="pause_new"),
    path("pipeline/pauses/<int:pk>/end/", limits.end_pause, name="pause_end"),
    path("pipeline/freshness/", freshness.freshness, name="freshness"),
    path("pipeline/freshness/live/", freshness.freshness_live, name="freshness_live"),
    path("pipeline/freshness/refresh/", refresh.refresh, name="freshness_refresh"),
    path("pipeline/freshness/of/<slug:brand>/<slug:dataset>/", freshness.of_brand, name="freshness_cell"),
    path("pipeline/freshness/platform/<slug:dataset>/", freshness.of_platform, name="freshness_platform"),
    path("pipeline/subjects/<slug:job_type>/of/<slug:brand>/", subject.of_brand, name="subject"),
    path("pipeline/subjects/<slug:job_type>/of/<slug:brand>/live/", subject.of_brand_live, name="subject_live"),
    path("pipeline/subjects/<slug:job_type>/platform/", subject.of_platform, name="subject_of_platform"),
    path("pipeline/subjects/<slug:job_type>/platform/live/", subject.of_platform_live, name="subject_of_platform_live"),
    path("pipeline/notifications/", notifications.page, name="notifications"),
    path("pipeline/notifications/live/", notifications.live, name="notifications_live"),
    path("pipeline/notifications/channels/new/", notifications.channel_new, name="notification_channel_new"),
    path("pipeline/notifications/channels/<int:pk>/test/", notifications.channel_test, name="notification_test"),
    path("pipeline/notifications/channels/<int:pk>/remove/", notifications.channel_remove, name="notification_channel_remove"),
    path("pipeline/notifications/rules/new/", notifications.rule_new, name="notification_rule_new"),
    path("pipeline/notifications/rules/<int:pk>/", notifications.rule_switch, name="notification_rule"),
    path("pipeline/notifications/rules/<int:pk>/remove/", notifications.rule_remove, name="notification_rule_remove"),
    path("pipeline/runs/", every_run.history, name="runs"),
    path("pipeline/runs.csv", csv_view(every_run.history_file), name="runs_csv"),
    path("exports/", files.exports, name="exports"),
    path("exports/<int:pk>/", files.export_file, name="export_file"),
    path("pipeline/runs/compare/", compare.compare, name="runs_compare"),
    path("pipeline/audit/", audit.audit, name="audit"),
    path("pipeline/audit.csv", csv_view(audit.audit_file), name="audit_csv"),
    path("pipeline/runs/bulk/cancel/", bulk_actions.cancel, name="bulk_cancel"),
    path("pipeline/runs/bulk/retry/", bulk_actions.retry, name="bulk_retry"),
    path("pipeline/runs/bulk/run-now/", bulk_actions.run_now, name="bulk_run_now"),
    path("pipeline/bulk/", bulk_actions.bulk_actions, name="bulk_actions"),
    path("pipeline/bulk/<int:pk>/", bulk_actions.bulk_action, name="bulk_action"),
    path("pipeline/bulk/<int:pk>/live/", bulk_actions.bulk_action_live, name="bulk_action_live"),
    path("pipeline/bulk/<int:pk>/abort/", bulk_actions.bulk_action_abort, name="bulk_action_abort"),
    path("pipeline/schedules/", schedules.schedules, name="schedules"),
    path("pipeline/schedules/save/", schedules.schedule_save, name="schedule_save"),
    path("pipeline/schedules/<int:pk>/undo/", schedules.schedule_undo, name="schedule_undo"),
    path("pipeline/schedules/<int:pk>/spread/", schedule_spread, name="schedule_spread"),
    path("pipeline/schedules/outlook/", schedules.schedule_outlook, name="schedule_outlook"),
    path("pipeline/runs/<int:pk>/", runs.run_page, name="run"),
    path("pipeline/runs/<int:pk>/edit/", edit_run.edit_run, name="run_edit"),
    path("pipeline/runs/<int:pk>/dry-run/", dry_run.dry_run, name="run_dry_run"),
    path("pipeline/runs/<int:pk>/live/", runs.run_live, name="run_live"),
    path("pipeline/runs/<int:pk>/log.txt", runs.run_log, name="run_log"),
    path("pipeline/runs/<int:pk>/<slug:action>/", runs.run_action, name="run_action"),
]
