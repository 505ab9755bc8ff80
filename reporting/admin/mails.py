"""Who gets which report by mail, and what became of each."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors.contract import Side
from connectors.models import Connection
from kit.admin.parts import UNKNOWN, AskedActionsAdmin, HistoryAdmin, ReadOnlyAdmin, badge, moment
from reporting.mails.send import report_mail_save, reports_retry
from reporting.models import ReportDelivery, ReportMail

State = ReportDelivery.State
TONES = {
    State.PENDING: "info",
    State.MAKING: "info",
    State.SENDING: "info",
    State.SENT: "ok",
    State.HELD: "bad",
    State.UNKNOWN: "warn",
    State.DROPPED: "mute",
}


def _state_badge(state: str) -> SafeString:
    found = State(state)
    return badge("May have arrived" if found is State.UNKNOWN else found.label.split(":")[0], TONES[found])


@admin.register(ReportMail)
class ReportMailAdmin(AskedActionsAdmin, HistoryAdmin):
    """One row for each report and whom it goes to."""

    list_display = ("report", "shop", "recipients", "send_at", "is_active", "fares")
    list_display_links = ("report",)
    fields = ("every", "store", "to", "send_at", "is_active")
    change_form_template = "admin/reporting/reportmail/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportMail]:
        newest = ReportDelivery.objects.filter(mail=OuterRef("pk")).order_by("-last", "-pk")
        found: QuerySet[ReportMail] = super().get_queryset(request).select_related("store")
        return found.annotate(
            newest_state=Subquery(newest.values("state")[:1]), newest_error=Subquery(newest.values("error")[:1])
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "store":  # without Django's links beside it: shops are made elsewhere
            shops = [one.pk for one in Connection.objects.filter(is_active=True) if one.side == Side.STORE]
            return db_field.formfield(queryset=Connection.objects.filter(pk__in=shops), empty_label="All shops together")
        if db_field.name == "to":
            kwargs["widget"] = AdminTextareaWidget(attrs={"rows": 4})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ReportMail, form: "ModelForm[ReportMail]", change: bool) -> None:  # noqa: FBT001 - Django's signature
        report_mail_save(mail=obj, now=timezone.now())

    @admin.display(description="report", ordering="every")
    def report(self, mail: ReportMail) -> str:
        return mail.get_every_display()

    @admin.display(description="shop", ordering="store__name")
    def shop(self, mail: ReportMail) -> str:
        return str(mail.store) if mail.store else "All shops together"

    @admin.display(description="to")
    def recipients(self, mail: ReportMail) -> str:
        first, *others = mail.addresses
        return f"{first} and {len(others)} more" if others else first

    @admin.display(description="the last one")
    def fares(self, mail: Any) -> SafeString:
        if not mail.newest_state:
            return badge("None yet", "mute")
        return format_html('{} <span class="sub">{}</span>', _state_badge(mail.newest_state), mail.newest_error[:160])


@admin.register(ReportDelivery)
class ReportDeliveryAdmin(ReadOnlyAdmin):
    """Each report to each address. What failed again and again, or may have arrived, waits here."""

    list_display = ("report", "last", "to", "state_badge", "error", "made", "sent")
    list_display_links = ("report",)
    list_filter = ("state", "every", "mail")
    list_select_related = ("mail", "store", "asked_by")
    search_fields = ("to",)
    fields = (
        *("report", "last", "store", "to", "state_badge", "error", "attempts", "created_at", "next_attempt_at", "sent_at"),
        *("mail", "asked_by", "message"),
    )
    readonly_fields = ("report", "state_badge", "message")
    actions = ("send_again",)

    def has_mail_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the action below."""
        return request.user.has_perm("reporting.change_reportmail")

    @admin.action(description="Send again", permissions=["mail"])
    def send_again(self, request: HttpRequest, rows: QuerySet[ReportDelivery]) -> None:
        count = reports_retry(deliveries=list(rows), now=timezone.now())
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"{count} go out within a minute." if count else "None of these is held.", level)

    @admin.display(description="report", ordering="every")
    def report(self, row: ReportDelivery) -> str:
        return row.get_every_display()

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: ReportDelivery) -> SafeString:
        return _state_badge(row.state)

    @admin.display(description="made", ordering="created_at")
    def made(self, row: ReportDelivery) -> SafeString | str:
        return moment(row.created_at)

    @admin.display(description="sent", ordering="sent_at")
    def sent(self, row: ReportDelivery) -> SafeString | str:
        return moment(row.sent_at) if row.sent_at else UNKNOWN
