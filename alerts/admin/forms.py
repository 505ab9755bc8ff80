"""The form of a channel: its own columns, and the settings and secrets of its kind as fields of their own."""

from typing import Any

from django import forms

from alerts.channels.settings import CHANNEL_SECRETS, CHANNEL_SETTINGS
from alerts.models import Channel
from alerts.rules.words import RULES
from connectors.admin.forms import CREDENTIAL, SETTING, KindForm, kind_fields
from connectors.models import Connection
from connectors.registry import LABELS, kind_get


class ChannelForm(KindForm):
    """Subclassed for each kind by `channel_form_for`."""

    secrets_name = "secrets"
    rules = forms.MultipleChoiceField(
        label="Only these rules",
        required=False,
        choices=[(code.value, about.title) for code, about in RULES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all.",
    )

    class Meta:
        model = Channel
        fields = [
            "name", "is_active", "pace", "send_at", "min_severity", "is_for_lead", "rules", "connections", "quiet_from",
            "quiet_to", "critical_passes", "time_zone",
        ]  # fmt: skip
        widgets = {"connections": forms.CheckboxSelectMultiple}


def channel_form_for(kind: str, *, channel: Channel | None) -> type[ChannelForm]:
    """Result: the form for channels of that kind."""
    stored = channel.secrets if channel and isinstance(channel.secrets, dict) else {}
    fields: dict[str, Any] = kind_fields(CHANNEL_SETTINGS[kind], CHANNEL_SECRETS[kind], stored)
    if kind == Channel.Kind.TILL_NOTE:
        noted = [name for name in LABELS if kind_get(name).capabilities.notes]
        tills = Connection.objects.filter(kind__in=noted, is_active=True).values_list("name", flat=True)
        fields[SETTING + "till"] = forms.ChoiceField(
            label="Till", choices=[(name, name) for name in tills], help_text="Only tills that can show notes are listed."
        )
    return type("ChannelForm", (ChannelForm,), {**fields, "kind_name": kind, "__module__": __name__})


def channel_field_names(kind: str) -> tuple[list[str], list[str]]:
    """Result: the names of the form's fields: settings, secrets."""
    return (
        [SETTING + name for name in CHANNEL_SETTINGS[kind].model_fields],
        [CREDENTIAL + name for name in CHANNEL_SECRETS[kind].model_fields],
    )
