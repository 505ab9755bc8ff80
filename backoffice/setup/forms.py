"""What a person fills in to set a shop up. What a connection is, and whether its settings are right, its own form knows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings

from connectors.admin.fields import CHOICE_WORDS, setting_field
from connectors.admin.forms import CREDENTIAL, SETTING, ConnectionForm, form_for
from connectors.contract import Side
from connectors.models import Connection
from connectors.pos_csv.reading.presets import PRESETS, ROLES
from connectors.pos_csv.sample import Sample
from connectors.pos_csv.settings import PosCsvSettings
from connectors.registry import kind_get
from kit.files.import_page import file_clean

PRESET_WORDS = {
    "generic": "Any till: usual column names",
    "square": "Square",
    "lightspeed_x": "Lightspeed X-Series",
    "lightspeed_r": "Lightspeed R-Series",
    "shopify_inventory": "Shopify, inventory export",
    "shopify_products": "Shopify, products export",
    "loyverse": "Loyverse",
    "clover": "Clover",
    "quickbooks": "QuickBooks POS",
}
ROLE_WORDS = {
    "sku": "SKU", "barcode": "Barcode", "quantity": "Quantity", "tracked": "Is it counted?", "price": "Price", "cost": "Cost",
    "name": "Name", "category": "Category", "vendor": "Supplier", "outlet": "Place", "updated": "Last change",
}  # fmt: skip
LABELS = {"preset": "Exported by", "encoding": "Letters", "delimiter": "Between columns", "number_format": "Numbers",
          "skip_lines": "Lines above the column names", "final_newline_required": "The last line has an end"}  # fmt: skip
READING = tuple(LABELS)  # the settings that say how a file is read
AS_FOUND, ABSENT, NAMED = "", "-", "="


def connection_form(kind_name: str) -> type[ConnectionForm]:
    """Result: the form of a new connection of that kind with what is needed to reach it; the rest is good as it is. Raises
    ConfigError for a kind that is not there."""
    kind = kind_get(kind_name)
    needed = [SETTING + name for name, info in kind.settings.model_fields.items() if info.is_required()]
    needed += [CREDENTIAL + name for name, info in kind.credentials.model_fields.items() if info.is_required()]
    shown = ["name", *needed, "time_zone"]
    word = "shop" if kind.capabilities.side == Side.STORE else "till"

    class NewConnection(form_for(kind_name, connection=None)):  # type: ignore[misc] # a class made for the kind
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            form: Any = self
            form.fields = {name: form.fields[name] for name in shown}
            form.initial |= {"name": _free_name(word), "time_zone": _usual_zone()}
            form.fields["time_zone"].help_text = "Where it stands, such as Europe/Vienna or America/New_York."

    return NewConnection


def _free_name(word: str) -> str:
    taken = set(Connection.objects.filter(name__startswith=word).values_list("name", flat=True))
    return word if word not in taken else next(f"{word}-{n}" for n in range(2, 1000) if f"{word}-{n}" not in taken)


def _usual_zone() -> str:
    known: str | None = Connection.objects.order_by("pk").values_list("time_zone", flat=True).first()
    return known or settings.TIME_ZONE


class SampleForm(forms.Form):
    """A file of the till, as it exports it."""

    file = forms.FileField(
        label="Sample export", help_text="The stock list, as the till exports it: a CSV file. It is only looked at."
    )

    def clean_file(self) -> Any:
        return file_clean(self.cleaned_data["file"])


class ColumnsForm(forms.Form):
    """How a sample is read: the settings for it, and which column holds what."""

    def __init__(self, *args: Any, sample: Sample, chosen: PosCsvSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = chosen
        self.headers = list(dict.fromkeys(name for name in sample.header if name.strip()))
        for name in READING:
            field = setting_field(name, PosCsvSettings.model_fields[name])
            field.label, field.initial = LABELS[name], _plain(getattr(chosen, name))
            if name == "preset" and isinstance(field, forms.ChoiceField):
                field.choices = [(one, PRESET_WORDS.get(one, one)) for one in PRESETS]
            self.fields[name] = field
        for role in ROLES:
            self.fields[f"column_{role}"] = self._column(role, sample.found)

    def _column(self, role: str, found: Mapping[str, str]) -> forms.ChoiceField:
        outlets = (
            [f"{where}: {header}" for where, header in found.items() if where.startswith("quantity at ")]
            if role == "quantity"
            else []
        )
        read = found.get(role, ", ".join(outlets))
        kept = self.chosen.columns.get(role)  # type: ignore[call-overload] # a role
        as_found = (AS_FOUND, f"As recognised: {read}" if read and kept is None else "As recognised")
        absent = [] if role in ("sku", "quantity") else [(ABSENT, "Not in the file")]
        names = [(NAMED + name, name[:60]) for name in self._with(kept)]
        initial = AS_FOUND if kept is None else NAMED + kept if kept else ABSENT
        return forms.ChoiceField(
            label=ROLE_WORDS[role], choices=[as_found, *absent, *names], required=False, initial=initial
        )  # fmt: skip

    def _with(self, kept: str | None) -> Sequence[str]:
        return [*self.headers, kept] if kept and kept not in self.headers else self.headers

    def settings_chosen(self) -> dict[str, Any]:
        """Result: what a valid form says, as settings; None where it is what is usual anyway."""
        said: dict[str, Any] = {name: self.cleaned_data[name] for name in READING}
        said["columns"] = dict(self._columns())
        usual = PosCsvSettings(folder="-")
        return {name: None if value == _plain(getattr(usual, name)) else value for name, value in said.items()}

    def _columns(self) -> Iterator[tuple[str, str]]:
        for role in ROLES:
            said = self.cleaned_data[f"column_{role}"]
            if said != AS_FOUND:
                yield role, "" if said == ABSENT else said.removeprefix(NAMED)

    def reading_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in READING]

    def column_fields(self) -> list[forms.BoundField]:
        return [self[f"column_{role}"] for role in ROLES]


class GoLiveForm(forms.Form):
    """A deliberate yes, and which tills are told what is sold online."""

    sure = forms.BooleanField(label="I have read the go-live report")
    tills = forms.ModelMultipleChoiceField(
        Connection.objects.none(),
        label="Tell these tills what is sold online",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, observing: Sequence[Connection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tills: forms.ModelMultipleChoiceField[Connection] = self.fields["tills"]  # type: ignore[assignment] # as declared above
        tills.queryset = Connection.objects.filter(pk__in=[till.pk for till in observing]).order_by("pk")
        tills.initial = [till.pk for till in observing]
        if not observing:
            del self.fields["tills"]


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def delimiter_said(delimiter: str) -> str:
    """Result: what separates columns, in words."""
    return CHOICE_WORDS.get(delimiter, delimiter)
