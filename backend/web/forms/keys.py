"""Forms whose work is done once even if they are sent again: each carries a key, created when it is shown."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.crypto import get_random_string

FORM_KEY_LENGTH = 20


def new_key() -> str:
    return get_random_string(FORM_KEY_LENGTH)


class FormKeyField(forms.CharField):
    widget = forms.HiddenInput
    default_validators = [RegexValidator(r"\A[A-Za-z0-9]{8,64}\Z")]


class KeyedForm(forms.Form):
    key = FormKeyField()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""
