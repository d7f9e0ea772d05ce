"""The forms for articles, their units and stock."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from backend.inventory.catalogue import ArticleChange, NewUnit, UnitChange
from backend.inventory.errors import InventoryRefused
from backend.inventory.fields import CODE_CHARACTERS_MAX, MARK_CHARACTERS_MAX, NAME_CHARACTERS_MAX
from backend.inventory.importing.spreadsheets import FILE_BYTES_MAX
from backend.inventory.models import REASON_LENGTH_MAX, Article, ArticleUnit
from backend.shops.models import Shop
from backend.web.forms.keys import FormKeyField, new_key
from backend.web.forms.lists import choices_of, rows_of
from backend.web.forms.number_fields import FrenchDecimalField, WholeNumberField
from backend.web.wording.stock import LEVELS, level_words, refusal_words, unit_name

OPENED_MAX = 10**9
# A service's argument → the form's field that shows its refusal.
FIELDS = {
    "quantity": "quantite", "counted": "quantite", "comment": "motif", "reason": "motif", "count": "nombre",
    "code": "code", "name": "nom", "barcode": "code_barres", "base_unit": "unite_base", "level": "niveau",
    "mark": "marque", "holds": "contient", "price": "prix", "currency": "devise", "vat_rate": "taux_tva",
    "low_stock_threshold": "seuil",
}  # fmt: skip


class StockForm(forms.Form):
    """Has labels without a colon, and shows a service's refusal beside the field it is about."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.label_suffix = ""

    def refuse(self, refusal: InventoryRefused) -> None:
        field = FIELDS.get(refusal.field, "")
        self.add_error(field if field in self.fields else None, refusal_words(refusal))


class KeyedStockForm(StockForm):
    """A form that must not do its work twice."""

    key = FormKeyField()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["key"].initial = new_key()

    def typed(self) -> dict[str, str]:
        """Return the values as typed, to tell a repeat from other values under the same key."""
        return {name: str(self.data.get(self.add_prefix(name), "")) for name in self.fields if name != "key"}


class ArticleForm(StockForm):
    nom = forms.CharField(label=_("Nom"), max_length=NAME_CHARACTERS_MAX)
    code = forms.CharField(label=_("Code"), max_length=CODE_CHARACTERS_MAX)
    code_barres = forms.CharField(label=_("Code-barres"), max_length=CODE_CHARACTERS_MAX, required=False)
    unite_base = forms.ModelChoiceField(
        label=_("Unité de base"),
        queryset=ArticleUnit.objects.none(),
        empty_label=None,
        required=False,
        help_text=_("Celle que les caisses vendent quand elles ne nomment que l'article."),
    )
    actif = forms.BooleanField(label=_("Actif : les caisses le proposent"), required=False)

    def __init__(self, *arguments: Any, article: Article, units: list[ArticleUnit], **options: Any) -> None:
        initial = {
            "nom": article.name,
            "code": article.code,
            "code_barres": article.barcode,
            "actif": article.is_active,
            "unite_base": article.base_unit_id,
        }
        super().__init__(*arguments, initial=initial, **options)
        _send_initial_values(self)
        base = rows_of(self, "unite_base")
        base.queryset = ArticleUnit.objects.filter(article=article)
        base.choices = [(unit.pk, unit_choice(unit)) for unit in units]

    def changes(self) -> dict[ArticleChange, Any]:
        """Return only what differs from what the page showed, so that others' changes meanwhile stay."""
        given = self.cleaned_data
        values: dict[str, tuple[ArticleChange, Any]] = {
            "nom": ("name", given["nom"]),
            "code": ("code", given["code"]),
            "code_barres": ("barcode", given["code_barres"] or None),
            "actif": ("is_active", given["actif"]),
        }
        changes = {field: value for name, (field, value) in values.items() if name in self.changed_data}
        if given["unite_base"] and "unite_base" in self.changed_data:
            changes["base_unit"] = given["unite_base"].uuid
        return changes


class UnitForm(StockForm):
    """The fields of a unit that may be changed."""

    marque = forms.CharField(
        label=_("Marque"),
        max_length=MARK_CHARACTERS_MAX,
        required=False,
        help_text=_("Ce qui est écrit : SAC, BT, DZ…"),
    )
    prix = FrenchDecimalField(label=_("Prix"))
    devise = forms.ChoiceField(label=_("Devise"))
    taux_tva = FrenchDecimalField(label=_("TVA en %"))
    contient = FrenchDecimalField(
        label=_("Contient"), required=False, help_text=_("Combien d'unités plus petites ; vide si inconnu.")
    )
    seuil = FrenchDecimalField(
        label=_("Seuil de stock bas"), required=False, help_text=_("À ce stock ou moins, la page le signale.")
    )

    def __init__(self, *arguments: Any, shop: Shop, unit: ArticleUnit | None = None, **options: Any) -> None:
        initial: dict[str, Any] = {"devise": shop.currency, "taux_tva": Decimal(0)}
        if unit:
            initial = {
                "marque": unit.mark,
                "prix": unit.price,
                "devise": unit.currency,
                "taux_tva": unit.vat_rate,
                "contient": unit.holds,
                "seuil": unit.low_stock_threshold,
            }
        super().__init__(*arguments, initial=initial, **options)
        kept = {unit.currency} if unit else set()
        currencies = sorted(
            kept.union(shop.accepted_currencies), key=lambda currency: (currency != shop.currency, currency)
        )
        choices_of(self, "devise").choices = [(currency, currency) for currency in currencies]
        if unit:
            _send_initial_values(self)

    def values(self) -> dict[UnitChange, Any]:
        given = self.cleaned_data
        return {
            "mark": given["marque"],
            "price": given["prix"],
            "currency": given["devise"],
            "vat_rate": given["taux_tva"],
            "holds": given["contient"],
            "low_stock_threshold": given["seuil"],
        }

    def changes(self) -> dict[UnitChange, Any]:
        """Return only what differs from what the page showed, so that a price set meanwhile stays."""
        return {field: value for field, value in self.values().items() if FIELDS[field] in self.changed_data}


class NewUnitForm(KeyedStockForm, UnitForm):
    niveau = forms.ChoiceField(label=_("Niveau"), choices=list(LEVELS.items()))
    field_order: tuple[str, ...] = ("niveau", "marque", "prix", "devise", "taux_tva", "contient", "seuil")

    def __init__(self, *arguments: Any, levels: Sequence[str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        choices_of(self, "niveau").choices = [(level, words) for level, words in LEVELS.items() if level in levels]

    def unit(self) -> NewUnit:
        return NewUnit(level=self.cleaned_data["niveau"], **self.values())


class NewArticleForm(NewUnitForm):
    nom = forms.CharField(
        label=_("Nom"), max_length=NAME_CHARACTERS_MAX, widget=forms.TextInput(attrs={"autofocus": True})
    )
    code = forms.CharField(label=_("Code"), max_length=CODE_CHARACTERS_MAX)
    code_barres = forms.CharField(label=_("Code-barres"), max_length=CODE_CHARACTERS_MAX, required=False)
    quantite = FrenchDecimalField(label=_("Stock de départ"), required=False)
    field_order = ("nom", "code", "code_barres", *NewUnitForm.field_order, "quantite")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, levels=list(LEVELS), **options)
        self.fields["niveau"].initial = "PIECE"


class MoveForm(KeyedStockForm):
    """A stock movement of one unit. The quantity is positive, except in an adjustment."""

    action = forms.ChoiceField(
        label=_("Ce que vous faites"),
        choices=[
            ("entree", _("Entrée : de la marchandise arrive")),
            ("sortie", _("Sortie : de la marchandise part, sans vente")),
            ("compte", _("J'ai compté : voici ce qu'il y a")),
            ("ajustement", _("Ajustement : ajouter, ou retirer avec un −")),
        ],
    )
    quantite = FrenchDecimalField(label=_("Quantité"))
    motif = forms.CharField(label=_("Motif"), max_length=REASON_LENGTH_MAX, required=False)

    def clean(self) -> dict[str, object]:
        amount = self.cleaned_data.get("quantite")
        if self.cleaned_data.get("action") in ("entree", "sortie") and amount is not None and amount <= 0:
            self.add_error("quantite", _("La quantité doit être plus grande que zéro."))
        return self.cleaned_data


class OpenForm(KeyedStockForm):
    nombre = WholeNumberField(label=_("Combien en ouvrir"), min_value=1, max_value=OPENED_MAX)


class ImportForm(StockForm):
    fichier = forms.FileField(
        label=_("Fichier CSV ou XLSX"),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
    )

    def clean_fichier(self) -> object:
        file = self.cleaned_data["fichier"]
        if file.size > FILE_BYTES_MAX:
            raise ValidationError(
                _("Fichier trop grand : %(size)s Mio au plus."), params={"size": FILE_BYTES_MAX // 1024**2}
            )
        return file


def unit_choice(unit: ArticleUnit) -> str:
    name, level = unit_name(unit), level_words(unit)
    return name if name == level else f"{name} ({level})"


def _send_initial_values(form: forms.Form) -> None:
    """Send the shown values along, to tell what the person changed from what changed meanwhile."""
    for field in form.fields.values():
        field.show_hidden_initial = True
