"""The form of a connection: its own columns, and the settings and credentials of its kind as fields of their own."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from pydantic import BaseModel
from pydantic import ValidationError as SettingsError

from connectors.admin.fields import credential_field, setting_field, setting_initial, settings_from
from connectors.models import Connection
from connectors.registry import kind_get
from connectors.settings.allowed import folders_allowed
from connectors.settings.origins import Fields
from kit.admin.parts import AnyModelAdmin, AnyModelForm, person

SETTING, CREDENTIAL = "setting__", "credential__"


class KindForm(AnyModelForm):
    """A form of something that comes in kinds: each kind's settings and secrets are fields of their own. Subclassed for each kind
    by `kind_fields`. Secrets go in and never come out."""

    kind_name = ""
    secrets_name = "credentials"  # the model's field that keeps them
    settings_model: type[BaseModel]
    secrets_model: type[BaseModel]
    moved: tuple[str, ...] = ()  # what a valid form changes about where secrets go

    @property
    def declared(self) -> Fields:
        return Fields(self.settings_model, self.secrets_model)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.kind:
            self.instance.kind = self.kind_name
        stored = self.instance.settings
        for name, info in self.settings_model.model_fields.items():
            if SETTING + name in self.fields:
                self.initial[SETTING + name] = setting_initial(info, stored, name)

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Settings and secrets as the kind sees them; each complaint lands at its own field, without the value."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        before, secrets = self.instance.settings, getattr(self.instance, self.secrets_name)
        self.instance.settings = settings_from(self.settings_model, _part(cleaned, SETTING))
        typed = {name: said for name, said in _part(cleaned, CREDENTIAL).items() if said}
        kept = self.declared.kept(
            before=before,
            secrets=secrets if isinstance(secrets, dict) else {},
            after=self.instance.settings,
            typed=typed,
        )
        self.moved = kept.moved
        for name in kept.asked:
            self.add_error(CREDENTIAL + name, f"Type it again: {self.declared.why(kept)}")
        setattr(self.instance, self.secrets_name, kept.secrets)
        self._check(self.settings_model, self.instance.settings, SETTING)
        if cleaned.get("is_active", True):
            for name, why in folders_allowed().refused(self.settings_model, self.instance.settings).items():
                self.add_error(SETTING + name, why)
        self._check(self.secrets_model, kept.secrets, CREDENTIAL)
        return cleaned

    @sensitive_variables()
    def _check(self, model: type[BaseModel], given: Mapping[str, Any], prefix: str) -> None:
        try:
            model.model_validate(given)
        except SettingsError as error:
            for problem in error.errors(include_input=False, include_url=False, include_context=False):
                field = prefix + str(problem["loc"][0]) if problem["loc"] else ""
                if field in self.errors:
                    continue  # the form itself has said it already: "This field is required."
                message = problem["msg"].removeprefix("Value error, ")
                self.add_error(field if field in self.fields else None, message)

    def add_error(self, field: str | None, error: Any) -> None:
        """The model complains of settings and credentials as a whole; here their fields have said it already."""
        if field is None and isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            shown = {name: list_ for name, list_ in error.error_dict.items() if name in self.fields or name == NON_FIELD_ERRORS}
            if not shown and self.errors:
                return
            error = ValidationError(shown) if shown else ValidationError(error.messages)
        super().add_error(field, error)


class KindFormAdmin(AnyModelAdmin):
    """The admin of something whose form is a `KindForm`."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """History keeps who changed which field; a change of where secrets go is in the log as well."""
        super().save_model(request, obj, form, change)
        if change and isinstance(form, KindForm):
            form.declared.note_moved(form.moved, system=str(obj), by=person(request).get_username())


class ConnectionForm(KindForm):
    """A connection's own columns."""

    class Meta:
        model = Connection
        fields = [
            "name", "mode", "is_active", "time_zone", "currency", "guard_zero_percent", "guard_shrink_percent",
        ]  # fmt: skip
        labels = {"guard_zero_percent": "Sold-out guard, %", "guard_shrink_percent": "Shrinking guard, %"}


def _part(cleaned: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in cleaned.items() if name.startswith(prefix)}


def kind_fields(settings: type[BaseModel], secrets: type[BaseModel], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Result: what a form of that kind has besides its model's own columns. `stored`: the secrets that are kept already."""
    shown = {SETTING + name: setting_field(name, info) for name, info in settings.model_fields.items()}
    typed = {
        CREDENTIAL + name: credential_field(name, info, is_kept=name in stored) for name, info in secrets.model_fields.items()
    }
    return {**shown, **typed, "settings_model": settings, "secrets_model": secrets}


def form_for(kind_name: str, *, connection: Connection | None) -> type[ConnectionForm]:
    """Result: the form for connections of that kind. Raises ConfigError for a kind that is not there."""
    kind = kind_get(kind_name)
    stored = connection.credentials if connection and isinstance(connection.credentials, dict) else {}
    fields = kind_fields(kind.settings, kind.credentials, stored)
    return type("ConnectionForm", (ConnectionForm,), {**fields, "kind_name": kind_name, "__module__": __name__})


def field_names(kind_name: str) -> tuple[list[str], list[str], list[str]]:
    """Result: the names of the form's fields: settings that must be given, the other settings, credentials."""
    kind = kind_get(kind_name)
    needed = [SETTING + name for name, info in kind.settings.model_fields.items() if info.is_required()]
    others = [SETTING + name for name, info in kind.settings.model_fields.items() if not info.is_required()]
    return needed, others, [CREDENTIAL + name for name in kind.credentials.model_fields]
