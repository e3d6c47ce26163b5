"""E-mail, through the mail server that EMAIL_URL names."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from ....contract.errors import PermanentError, TransientError
from ....models import Notification
from ..words import body, subject


def send(message: Notification, addresses: str) -> None:
    """To several addresses, separated by commas. One who is told that something is resolved finds it under the first message."""
    if not settings.EMAIL_URL:
        raise PermanentError("There is no mail server. Set EMAIL_URL for the workers.")
    to = [one.strip() for one in addresses.split(",") if one.strip()]
    if not to:
        raise PermanentError("There is no e-mail address. Add one in the admin, or to the channel.")
    headers = {"Message-ID": _id(message.pk), "Auto-Submitted": "auto-generated"}
    if message.after_id:
        headers |= {"In-Reply-To": _id(message.after_id), "References": _id(message.after_id)}
    mail = EmailMessage(subject(message), f"{body(message)}\n", settings.EMAIL_FROM, to, headers=headers)
    try:
        mail.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
        raise PermanentError(f"The mail server refused the message ({type(error).__name__}). Check the addresses.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"The mail server did not take the message ({type(error).__name__}).") from error


def _id(pk: object) -> str:
    return f"<{pk}@controlplane>"
