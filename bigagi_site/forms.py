"""The forms of the account page."""

from datetime import timedelta
from typing import Any

from django import forms

from bigagi_site.tokens import MAX_NAME, TokenError, check_name

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year", "": "never"}


class TokenForm(forms.Form):
    """What a new token is to be."""

    name = forms.CharField(max_length=MAX_NAME, label="What it is for")
    days = forms.ChoiceField(choices=list(LIFETIMES.items()), required=False, initial="90", label="Expires")
    is_read_only = forms.BooleanField(required=False, label="Read-only")

    def clean_name(self) -> str:
        try:
            return check_name(self.cleaned_data["name"])
        except TokenError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_days(self) -> Any:
        days = self.cleaned_data["days"]
        return timedelta(days=int(days)) if days else None
