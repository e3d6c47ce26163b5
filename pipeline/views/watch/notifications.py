"""The tab Notifications: who is told what, a test of each channel, and what became of the last messages."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from ... import api, states
from ...contract.errors import NotAllowed, PipelineError
from ...models import Notification, NotificationChannel, NotificationRule
from ...people import brands_for
from ..access import needs, see_other
from ..live import fragment
from .notification_forms import ChannelForm, RuleForm

SHOWN = 25
MAY = "pipeline.change_notificationrule"


@require_GET
@needs(MAY)
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_GET
@needs(MAY)
def live(request: HttpRequest) -> HttpResponse:
    """The last messages, while one of them is under way."""
    return fragment(request, "pipeline/notifications/_messages.html", lambda: _messages(request))


@require_POST
@needs(MAY, "pipeline.add_notificationchannel")
def channel_new(request: HttpRequest) -> HttpResponse:
    form = ChannelForm(request.POST, user=request.user, prefix="channel")
    if not form.is_valid():
        return _page(request, channel_form=form)
    return _done(request, lambda: api.save_channel(form.save(commit=False), request.user), "The channel is added. Send a test.")


@require_POST
@needs(MAY, "pipeline.change_notificationchannel")
def channel_test(request: HttpRequest, pk: int) -> HttpResponse:
    channel = get_object_or_404(_open(NotificationChannel.objects.all(), request), pk=pk)
    try:
        sent = api.send_test(channel, request.user)
    except PipelineError as error:
        messages.error(request, str(error))
    else:
        assert sent.run
        link = format_html('<a href="{}">See run {}</a>', sent.run.get_absolute_url(), sent.run.pk)
        messages.success(request, format_html("A test for <bdi>{}</bdi> is queued. {}", channel, link))
    return see_other(reverse("notifications"))


@require_POST
@needs(MAY, "pipeline.delete_notificationchannel")
def channel_remove(request: HttpRequest, pk: int) -> HttpResponse:
    channel = get_object_or_404(_open(NotificationChannel.objects.all(), request), pk=pk)
    return _done(request, lambda: api.remove_notification(channel, request.user), "The channel and its rules are removed.")


@require_POST
@needs(MAY, "pipeline.add_notificationrule")
def rule_new(request: HttpRequest) -> HttpResponse:
    form = RuleForm(request.POST, user=request.user, prefix="rule")
    if not form.is_valid():
        return _page(request, rule_form=form)
    return _done(request, lambda: api.save_notification_rule(form.save(commit=False), request.user), "The rule is added.")


@require_POST
@needs(MAY)
def rule_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """On or off."""
    rule = get_object_or_404(_open(NotificationRule.objects.all(), request), pk=pk)
    rule.enabled = request.POST.get("enabled") == "1"
    words = "The rule is switched on." if rule.enabled else "The rule is switched off. Nobody is told."
    return _done(request, lambda: api.save_notification_rule(rule, request.user), words)


@require_POST
@needs(MAY, "pipeline.delete_notificationrule")
def rule_remove(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(_open(NotificationRule.objects.all(), request), pk=pk)
    return _done(request, lambda: api.remove_notification(rule, request.user), "The rule is removed.")


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    brands = brands_for(request.user)
    rules = _open(NotificationRule.objects.select_related("brand", "channel"), request)
    context = {
        "channels": _open(NotificationChannel.objects.select_related("brand").annotate(number=Count("rules")), request),
        "rules": rules.annotate(number=Count("troubles", filter=Q(troubles__over_at=None))),
        "channel_form": ChannelForm(user=request.user, prefix="channel"),
        "rule_form": RuleForm(user=request.user, prefix="rule"),
        "brands": brands.rows().filter(archived_at=None).order_by("name").values_list("slug", "name"),
        "mail": bool(settings.EMAIL_URL),
        "refused": bool(forms),
        **_messages(request),
        **forms,
    }
    return render(request, "pipeline/notifications/page.html", context, status=422 if forms else 200)


def _messages(request: HttpRequest) -> dict[str, Any]:
    """The last ones, each with the badge of the run that sends it."""
    found = _open(Notification.objects.select_related("channel", "person", "brand", "run"), request)
    rows = [(one, _badge(one)) for one in found[:SHOWN]]
    return {"messages_sent": rows, "under_way": any(one.run and one.run.is_live for one, _ in rows)}


def _badge(message: Notification) -> states.Badge:
    if message.sent_at:
        return states.SENT
    run = message.run
    return states.run_badge(run.status, tries_failed=run.attempt) if run else states.CANCELLED


def _open(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """What is of all brands is only for who sees all of them."""
    brands = brands_for(request.user)
    return rows if brands.every else rows.filter(brand__in=brands.rows())


def _done(request: HttpRequest, act: Callable[[], object], words: str) -> HttpResponse:
    try:
        act()
        messages.success(request, words)
    except NotAllowed as error:
        messages.error(request, str(error))
    return see_other(reverse("notifications"))
