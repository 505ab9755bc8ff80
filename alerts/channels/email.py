"""By mail: HTML and text, one message to all recipients."""

import smtplib
from typing import Final

from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from alerts.channels.message import Message, one_line
from alerts.channels.settings import EmailSettings
from connectors.errors import ConfigError, RejectedError, RetryableError

SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"


def mail_is_set() -> bool:
    """Result: has anybody said by which server mail goes?"""
    return bool(django_settings.EMAIL_BACKEND != SMTP or django_settings.EMAIL_HOST)


def email_deliver(settings: EmailSettings, message: Message) -> None:
    """Send it. Raises ConnectorError; then it may still have gone out, if the mail server failed after taking it."""
    if not mail_is_set():
        raise ConfigError(
            "No mail server is set, so no mail can be sent.",
            next_step="Set EVENSTOCK_MAIL_URL (docs/operations.md), then send it again.",
            code="no_mail_server",
        )
    mail = EmailMultiAlternatives(
        subject=one_line(f"[Evenstock] {message.subject}"),
        body=render_to_string("alerts/message.txt", {"message": message}),
        to=list(settings.to),
        headers={"Message-ID": f"<{message.delivery}@evenstock>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string("alerts/message.html", {"message": message}), "text/html")
    try:
        mail.send()
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigError(
            "The mail server refuses our name or password.", next_step="Correct EVENSTOCK_MAIL_URL.", code="mail_login"
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise RejectedError(
            f"The mail server refuses every recipient: {', '.join(error.recipients)[:200]}.",
            next_step="Check the addresses under Channels.",
            code="recipients",
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise RetryableError(
            f"The mail server could not be used: {one_line(str(error)) or type(error).__name__}.",
            next_step="Check that it runs and that EVENSTOCK_MAIL_URL is right.",
            code="mail",
        ) from error
