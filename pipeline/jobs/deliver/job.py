"""The run that sends one message. It is claimed, retried and shown like any other run."""

from datetime import timedelta
from typing import Any

from django import forms

from ...api.oversight.notifications import DELIVER, mark_sent
from ...contract.context import Context
from ...contract.errors import BlockedError, InvalidRequest, PermanentError
from ...contract.job_type import Done, JobType, Subject
from ...contract.parameters import ParameterForm
from ...contract.registry import job_type
from ...contract.source import register_round
from ...models import Brand, Notification
from ...states import LIVE
from . import watch
from .senders import send

FIRST_ONE_SECONDS = 60


@job_type(DELIVER, label="Notification", emoji="🔔", datasets={}, internal=True, max_runtime=timedelta(minutes=5))
class Deliver(JobType):
    class Params(ParameterForm):
        notification = forms.UUIDField()

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        message = Notification.objects.filter(pk=params["notification"]).select_related("channel", "person").first()
        if message is None:
            raise InvalidRequest("There is no such message any more.")
        # Not its title: who may see this run may not see every brand that the message tells of.
        return Subject(str(message.pk), str(message.channel or message.person))

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        rows = Notification.objects.select_related("channel", "person", "brand", "after__run")
        message = rows.filter(pk=params["notification"]).first()
        if message is None:
            raise PermanentError("There is no such message any more: its channel was removed.")
        first = message.after
        if first and first.sent_at is None and first.run and first.run.status in LIVE:
            raise BlockedError("The message that it follows has not been sent yet.", seconds=FIRST_ONE_SECONDS, limited=False)
        # A crash between sending and the checkpoint sends it once more: receivers know it by its id.
        ctx.step("send", lambda: send(message))
        mark_sent(message.pk)
        return Done(summary=f"Sent to {message.channel or message.person}.")


register_round(watch.look_if_due)
