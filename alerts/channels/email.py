"""By mail: HTML and text, one message to all recipients."""

import smtplib
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from alerts.channels.message import Message, one_line
from alerts.channels.settings import EmailSettings
from connectors.errors import ConfigError, ConnectorError, RejectedError, RetryableError, UnknownOutcomeError

SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"


def mail_is_set() -> bool:
    """Result: has anybody said by which server mail goes?"""
    return bool(django_settings.EMAIL_BACKEND != SMTP or django_settings.EMAIL_HOST)


def email_deliver(settings: EmailSettings, message: Message) -> None:
    """Send it. Raises ConnectorError; then it may still have gone out, if the mail server failed after taking it."""
    mail = EmailMultiAlternatives(
        subject=one_line(f"[Evenstock] {message.subject}"),
        body=render_to_string("alerts/message.txt", {"message": message}),
        to=list(settings.to),
        headers=mail_headers(message.delivery),
    )
    mail.attach_alternative(render_to_string("alerts/message.html", {"message": message}), "text/html")
    mail_send(mail)


def mail_headers(key: UUID) -> dict[str, str]:
    """Result: by these, mail programs know the same mail again, and answer none."""
    return {"Message-ID": f"<{key}@evenstock>", "Auto-Submitted": "auto-generated"}


def mail_send(mail: EmailMultiAlternatives, *, before: Callable[[], None] = lambda: None) -> None:
    """Send one mail; `before` is called when the server has let us in and nothing is sent yet. Raises ConnectorError: it surely
    did not go out; UnknownOutcomeError: the server may have taken it."""
    if not mail_is_set():
        raise ConfigError(
            "No mail server is set, so no mail can be sent.",
            next_step="Set EVENSTOCK_MAIL_URL (docs/operations.md), then send it again.",
            code="no_mail_server",
        )
    server = get_connection()
    try:
        _in_words(server.open, RetryableError)
        before()
        _in_words(lambda: server.send_messages([mail]), UnknownOutcomeError)
    finally:
        server.close()


def _in_words(step: Callable[[], object], broken_off: type[ConnectorError]) -> None:
    """Take a step with the mail server. What the server itself refuses surely did not go out; what breaks off is `broken_off`."""
    try:
        step()
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigError(
            "The mail server refuses our name or password.", next_step="Correct EVENSTOCK_MAIL_URL.", code="mail_login"
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        for_now = all(400 <= code < 500 for code, _ in error.recipients.values())  # greylisting, a full box: RFC 5321, 4.2.1
        raise (RetryableError if for_now else RejectedError)(
            f"The mail server refuses every recipient: {', '.join(error.recipients)[:200]}.",
            next_step="Check the addresses.",
            code="recipients",
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        kind = RetryableError if isinstance(error, smtplib.SMTPResponseException) else broken_off
        raise kind(
            f"The mail server could not be used: {one_line(str(error)) or type(error).__name__}.",
            next_step="Check that it runs and that EVENSTOCK_MAIL_URL is right.",
            code="mail",
        ) from error
