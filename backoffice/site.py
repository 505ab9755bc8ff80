"""The admin as a manager meets it: “Today” first, and a navigation by tasks on every page."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from backoffice.nav import navigation

if TYPE_CHECKING:  # Django's own class takes a parameter only for the type checker
    AnyModelAdmin = ModelAdmin[Any]
else:
    AnyModelAdmin = ModelAdmin

MAY_SEE = "reporting.view_dailymetric"


class BackOffice(AdminSite):
    """Django's admin with our first page. Its selectors are imported late: the site exists before the models do."""

    site_title = site_header = "Evenstock"
    site_url = None  # there is no other site to view
    enable_nav_sidebar = False  # ours is drawn by base_site.html

    def register(self, model_or_iterable: Any, admin_class: type[AnyModelAdmin] | None = None, **options: Any) -> None:
        """As Django does, with every list within bounds: those of other packages too."""
        from kit.admin.lists import BoundedAdmin

        given = admin_class or AnyModelAdmin
        bounded = type(given.__name__, (BoundedAdmin, given), {"__module__": given.__module__, "__doc__": given.__doc__})
        super().register(model_or_iterable, bounded, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from backoffice.product.views import WhyViews
        from backoffice.setup.pages import SetupPages

        live = path("today/live/", self.admin_view(self.live_view), name="today_live")
        return [live, *SetupPages(self).urls(), *WhyViews(self).urls(), *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "nav": SimpleLazyObject(lambda: self._navigation(request))}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """“Today”. Who may not see figures is told so, and finds his pages in the navigation."""
        request.current_app = self.name
        shown = self._today(request)
        counts = shown["today"].waiting if shown["today"] else None
        nav = SimpleLazyObject(lambda: self._navigation(request, counts))
        context = {**self.each_context(request), "title": "Today", **shown, "nav": nav, **(extra_context or {})}
        return TemplateResponse(request, "admin/index.html", context)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """The parts of “Today” that change, for the script that asks every few seconds."""
        if not request.user.has_perm(MAY_SEE):
            raise PermissionDenied
        page = TemplateResponse(request, "admin/today/parts.html", self._today(request))
        page["Cache-Control"] = "no-store"
        return page

    def _today(self, request: HttpRequest) -> dict[str, Any]:
        from backoffice.today.page import today_read

        if not request.user.has_perm(MAY_SEE):
            return {"today": None}
        return {"today": today_read(user=request.user, now=timezone.now()), "may_start": request.user.has_perm("sync.start_run")}

    def _navigation(self, request: HttpRequest, counts: Mapping[str, int] | None = None) -> Any:
        from reporting.selectors import nav_counts

        return navigation(site=self, request=request, counts=nav_counts() if counts is None else counts)
