"""Which two systems a page is about."""

from typing import Any

from django import forms

from alignment.selectors import connections_on
from connectors.contract import Side
from connectors.models import Connection


class BetweenForm(forms.Form):
    """Which till and which store."""

    till = forms.ModelChoiceField(queryset=Connection.objects.none(), label="Till", empty_label=None)
    store = forms.ModelChoiceField(queryset=Connection.objects.none(), label="Store", empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, side in (("till", Side.POS), ("store", Side.STORE)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = connections_on(side)
