"""What a person says when handling alerts: until when, who, or what was done."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User

HOURS = {"1": "An hour", "4": "Four hours", "24": "A day", "72": "Three days", "168": "A week"}


class SnoozeForm(forms.Form):
    """For how long."""

    hours = forms.ChoiceField(
        label="For how long?",
        choices=list(HOURS.items()),
        initial="24",
        widget=forms.RadioSelect,
        help_text="If the cause goes meanwhile, the alert resolves by itself; if it gets worse, it comes back.",
    )

    def until(self, now: datetime) -> datetime:
        return now + timedelta(hours=int(self.cleaned_data["hours"]))


class AssignForm(forms.Form):
    """To whom."""

    to = forms.ModelChoiceField(
        User.objects.none(), label="Who looks after it?", required=False, empty_label="Nobody in particular"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: forms.ModelChoiceField[User] = self.fields["to"]  # type: ignore[assignment] # as declared above
        people.queryset = User.objects.filter(is_active=True, is_staff=True).order_by("username")


class ResolveForm(forms.Form):
    """What was done."""

    notes = forms.CharField(
        label="What was done?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="Kept with the alert. If the cause is still there in a day, the alert opens again.",
    )


class ReopenForm(forms.Form):
    """Nothing to say."""
