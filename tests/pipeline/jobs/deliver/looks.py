"""Runs of toys, and what a look at the rules adds."""

from datetime import timedelta

from django.utils import timezone

from pipeline import api
from pipeline.jobs.deliver import watch
from pipeline.models import Notification


def toy(brand, name="owl", ends="ok", **options):
    return api.queue_one_time_job(brand.pk, "toy", {"name": name, "ends": ends}, **options).run


def messages(minutes=0):
    """What a look adds: phase and title, the oldest first."""
    known = set(Notification.objects.values_list("pk", flat=True))
    watch.look(timezone.now() + timedelta(minutes=minutes))
    return list(Notification.objects.exclude(pk__in=known).order_by("created_at").values_list("phase", "title"))
