"""The forms for signing in and for a shop's team."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from backend.observability.request_context import address_of
from backend.shops.models import Role
from backend.shops.sign_in import forget_failures, is_guessing, note_failure
from backend.web.wording.sales import ROLES


class SignInForm(AuthenticationForm):
    """Django's form, which also refuses an address or name that guesses passwords."""

    error_messages = AuthenticationForm.error_messages | {
        "guessing": _("Trop de mots de passe faux. Attendez un quart d'heure, puis essayez encore."),
    }

    def clean(self) -> dict[str, Any]:
        assert self.request is not None, "LoginView passes it"
        name, address = self.cleaned_data.get("username") or "", address_of(self.request)
        if name and is_guessing(name=name, address=address):
            raise ValidationError(self.error_messages["guessing"], code="guessing")
        try:
            cleaned = super().clean()
        except ValidationError:
            note_failure(name=name, address=address)
            raise
        forget_failures(name=name, address=address)
        return cleaned


class NewMemberForm(forms.Form):
    nom_utilisateur = forms.CharField(
        label=_("Nom d'utilisateur"), max_length=64, validators=[UnicodeUsernameValidator()],
        help_text=_("Des lettres, des chiffres et . + - _, sans espace"),
    )  # fmt: skip
    nom = forms.CharField(label=_("Nom et prénom"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Rôle"), choices=ROLES, initial=Role.MANAGER)
    existe = forms.BooleanField(label=_("Cette personne a déjà un compte"), required=False)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)
