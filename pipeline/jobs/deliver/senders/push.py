"""Other services, by an address that apprise reads. Only schemes whose messages go to a fixed host are allowed."""

import apprise

from ....contract.errors import PermanentError, TransientError
from ....models import Notification, NotificationChannel
from ..address import service_of
from ..words import body, subject

KINDS = {
    Notification.Phase.OPENED: apprise.NotifyType.WARNING,
    Notification.Phase.RESOLVED: apprise.NotifyType.SUCCESS,
}


def send(message: Notification, channel: NotificationChannel) -> None:
    scheme = service_of(channel.address)
    asset = apprise.AppriseAsset(secure_logging=True, plugin_paths=[], app_id="controlplane", http_redirects=False)
    service = apprise.Apprise.instantiate(channel.address, asset=asset, suppress_exceptions=True)
    if service is None:
        raise PermanentError(f"The address of {scheme} cannot be read. Write it as apprise's documentation says.")
    kind = KINDS.get(Notification.Phase(message.phase), apprise.NotifyType.INFO)
    if not service.notify(title=subject(message), body=body(message), notify_type=kind):
        raise TransientError(f"{service.service_name} did not take the message.")
