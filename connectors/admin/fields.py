"""Form fields from the settings and credentials that a kind of connection declares (a pydantic model)."""

import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from django import forms
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectors.settings.marks import field_label

CHOICE_WORDS = {"\t": "tab", ",": ", (comma)", ";": "; (semicolon)", "|": "| (bar)"}
KEPT = "Kept; type a new one to replace it."


class LinesField(forms.CharField):
    """A list of texts, one a line. Empty: not given."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class PairsField(forms.CharField):
    """Names and values, one `name = value` a line. Empty: not given."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name} = {said}" for name, said in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        pairs: dict[str, str] = {}
        for line in filter(None, map(str.strip, str(value or "").splitlines())):
            name, equals, said = line.partition("=")
            if not equals:
                raise forms.ValidationError(f"“{line}”: write it as name = value.")
            pairs[name.strip()] = said.strip()
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(dict(initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True


def setting_field(name: str, info: FieldInfo) -> forms.Field:
    """Result: the form field for one setting. Bounds and meaning are checked by the pydantic model, not here."""
    kind = _plain(info.annotation)
    common: dict[str, Any] = {
        "label": field_label(name, info),
        "help_text": info.description or "",
        "required": info.is_required(),
    }
    choices = _choices(kind)
    if choices:
        return forms.ChoiceField(choices=[(one, _choice_word(one)) for one in choices], **common)
    if kind is bool:
        return forms.BooleanField(**{**common, "required": False})
    if kind is int:
        return forms.IntegerField(**common)
    if kind is float:
        return forms.FloatField(**common)
    if get_origin(kind) is dict:
        return PairsField(**{**common, "help_text": f"{common['help_text']} One name = value a line.".strip()})
    if get_origin(kind) in (tuple, list):
        return LinesField(**{**common, "help_text": f"{common['help_text']} One a line.".strip()})
    return forms.CharField(**common)


def credential_field(name: str, info: FieldInfo, *, is_kept: bool) -> forms.Field:
    """Result: the form field for one credential. It never shows what is stored, nor what was typed; empty keeps the old one."""
    hint = " ".join(filter(None, [info.description or "", KEPT if is_kept else ""]))
    return forms.CharField(
        label=field_label(name, info),
        required=info.is_required() and not is_kept,
        help_text=hint,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )


def setting_initial(info: FieldInfo, stored: Mapping[str, Any], name: str) -> Any:
    """Result: what the form shows for a setting: the stored value, else the default."""
    if name in stored:
        return stored[name]
    if info.is_required():
        return None
    default = info.get_default(call_default_factory=True, validated_data={})
    return default.value if isinstance(default, Enum) else list(default) if isinstance(default, tuple) else default


def settings_from(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Result: what to store of what was typed: only what says something other than the default, so that a better default in a
    later version reaches those who never chose."""
    kept: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        value = given.get(name)
        is_silent = value is None or value in ("", [], {})
        if not is_silent and (info.is_required() or value != setting_initial(info, {}, name)):
            kept[name] = value
    return kept


def _plain(annotation: Any) -> Any:
    """Result: the type without Annotated, and without the None of an optional one."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(one for one in get_args(annotation) if one is not type(None)))
    return annotation


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(one.value) for one in kind]
    return []


def _choice_word(choice: str) -> str:
    return CHOICE_WORDS.get(choice, choice.replace("_", " "))
