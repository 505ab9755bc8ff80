from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class SiteConfig(AdminConfig):
    """Django's admin, with our site in place of its own."""

    default_site = "backoffice.site.BackOffice"


class BackOfficeConfig(AppConfig):
    """Menu, roles, people, Today, the product page and set-up."""

    name = "backoffice"
    verbose_name = "Access"

    def ready(self) -> None:
        from backoffice.roles import roles_install

        # The one receiver we have: permissions exist only after a migration, and this is how Django makes them, too.
        post_migrate.connect(roles_install, dispatch_uid="backoffice.roles")
