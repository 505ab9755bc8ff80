"""The schedule. Its package lets everybody who may look at it switch jobs off and start them: here that takes the permission."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from kit.admin.parts import AskedActionsAdmin

admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class ScheduleAdmin(AskedActionsAdmin, PeriodicTaskAdmin):  # type: ignore[misc] # django_celery_beat has no types
    """Who may not change the schedule has no actions on it."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        return found if self.has_change_permission(request) else {}
