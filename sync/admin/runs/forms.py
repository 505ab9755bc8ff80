"""What a person fills in to start a sync."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.models import Connection
from connectors.registry import LABELS, kind_get
from sync.models import SyncRun
from sync.prices.rules import price_policy_needed
from sync.turns.run import tills_of


class StartForm(forms.Form):
    """Which shop, how much of it, and whether for real. What would be refused anyway is said here, before anything starts."""

    store = forms.ModelChoiceField(Connection.objects.none(), label="Shop", empty_label=None)
    kind = forms.ChoiceField(choices=SyncRun.Kind.choices, initial=SyncRun.Kind.INCREMENTAL, widget=forms.RadioSelect)
    dry_run = forms.BooleanField(required=False, label="Dry run: only say what would be written")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [kind for kind in LABELS if kind_get(kind).capabilities.side == Side.STORE]
        stores: forms.ModelChoiceField[Connection] = self.fields["store"]  # type: ignore[assignment] # as declared above
        stores.queryset = Connection.objects.filter(is_active=True, kind__in=kinds)

    def clean_store(self) -> Connection:
        store: Connection = self.cleaned_data["store"]
        try:
            tills_of(store=store)
        except ConfigError as error:
            raise ValidationError(str(error)) from None
        if store.lease_owner and store.lease_until and store.lease_until > timezone.now():
            raise ValidationError(f"A sync of “{store}” is running. Wait for it to end.")
        return store

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        store = asked.get("store")
        if store and asked.get("kind") == SyncRun.Kind.PRICES:
            try:
                price_policy_needed(store=store)
            except ConfigError as error:
                self.add_error("kind", str(error))
        return asked
