from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class BackOfficeConfig(AdminConfig):
    """Django's admin, with our site in place of its own."""

    default_site = "reporting.site.BackOffice"


class ReportingConfig(AppConfig):
    name = "reporting"
    verbose_name = "Reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from reporting.roles import roles_install

        # The one receiver we have: permissions exist only after a migration, and this is how Django makes them, too.
        post_migrate.connect(roles_install, dispatch_uid="reporting.roles")
