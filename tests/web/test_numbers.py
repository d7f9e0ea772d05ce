"""Numbers that people type: one field on every form, and `1.500` treated alike on every page."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

import backend.ops
import backend.web
from backend.inventory.models import ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.sales.models import Sale, TillClosing
from backend.shops.exchange_rates import ExchangeRates
from backend.shops.models import ExchangeRate
from backend.testing import Cast, add_unit, make_user
from backend.web.forms.closings import ClosingForm
from backend.web.forms.number_fields import FrenchDecimalField, MoneyField, QuantityField, WholeNumberField
from backend.web.forms.sale_actions import ReturnForm
from backend.web.forms.settings import RatesForm
from backend.web.selectors.sale_money import sale_money
from tests.shop_day import post, recorded, sale
from tests.web.page_forms import form_of
from tests.web.page_text import seen

pytestmark = pytest.mark.embedded

AMBIGUOUS = "« 1.500 » est ambigu : écrivez 1500, ou 1,5000."


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".management." not in found.name:
            yield importlib.import_module(found.name)


def form_classes() -> list[type[forms.BaseForm]]:
    found = {
        value
        for package in (backend.web, backend.ops)
        for module in modules_of(package)
        for _name, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, forms.BaseForm) and value.__module__.startswith("backend.")
    }
    return sorted(found, key=lambda form: (form.__module__, form.__qualname__))


def fields_of_classes() -> Iterator[tuple[str, forms.Field]]:
    for form in form_classes():
        for name, field in form.base_fields.items():
            yield f"{form.__name__}.{name}", field


def fields_made_for_one_page(cast: Cast) -> Iterator[tuple[str, forms.Field]]:
    """Yield the fields that forms add for the lines of a sale and the currencies of a shop."""
    document = recorded(post(cast.device, sale(cast.rice)))
    line = document.lines.get()
    rates = ExchangeRates(cast.shop.currency)
    offered = {"money": sale_money(document, []), "rates": rates, "drawers": [], "is_repeat": False}
    for form in (
        ReturnForm(lines_left=[(line, line.quantity)], **offered),
        RatesForm(shop=cast.shop, rates=rates),
        ClosingForm(shop=cast.shop, today=timezone.localdate()),
    ):
        for name, field in form.fields.items():
            yield f"{type(form).__name__}.{name}", field


def fields_of_the_admin() -> Iterator[tuple[str, forms.Field]]:
    request = RequestFactory().get("/")
    request.user = make_user("root")
    request.user.is_superuser = request.user.is_staff = True
    for model, page in admin.site._registry.items():
        for name, field in page.get_form(request, change=True).base_fields.items():
            yield f"{model.__name__}.{name}", field


def test_every_field_for_a_decimal_is_the_one_field(cast: Cast) -> None:
    fields = [*fields_of_classes(), *fields_made_for_one_page(cast), *fields_of_the_admin()]
    assert [name for name, field in fields if isinstance(field, forms.DecimalField | forms.FloatField)] == []
    ours = {name for name, field in fields if isinstance(field, FrenchDecimalField)}
    assert ours >= {
        "BasketLineForm.quantite", "BasketLineForm.prix", "BasketLineForm.remise", "NewSaleForm.remise_vente",
        "ClosingForm.fond_CDF", "ClosingForm.sorties_CDF", "ClosingForm.compte_CDF", "ReturnForm.ligne_1",
        "ReturnForm.cours_USD", "RatesForm.cours_USD", "NewSaleForm.recu", "CustomerPaymentForm.montant",
        "PaymentForm.montant", "SaleSearch.montant_min", "SaleSearch.montant_max", "UnitForm.prix", "UnitForm.taux_tva",
        "UnitForm.contient", "UnitForm.seuil", "NewArticleForm.quantite", "MoveForm.quantite", "OpenForm.nombre",
    }  # fmt: skip


NUMBERS = [
    ("1500", "1500"),
    ("1 500", "1500"),
    ("1 500,25", "1500.25"),
    ("1\N{NARROW NO-BREAK SPACE}500,25", "1500.25"),
    ("1\N{NO-BREAK SPACE}500", "1500"),
    ("1.500,25", "1500.25"),
    ("1,5", "1.5"),
    ("1.5", "1.5"),
    (" 1,50 ", "1.5"),
    ("0,125", "0.125"),
    ("-3", "-3"),
    ("\N{MINUS SIGN}3", "-3"),
    ("", None),
    (" ", None),
]
NO_NUMBERS = [
    ("1.500", AMBIGUOUS),
    ("1,500", "« 1,500 » est ambigu : écrivez 1500, ou 1,5000."),
    ("1.500.25", "« 1.500.25 » n'est pas un nombre."),
    ("1 50", "« 1 50 » n'est pas un nombre."),
    ("١٢", "« ١٢ » n'est pas un nombre."),
    ("1_0", "« 1_0 » n'est pas un nombre."),
    ("1e5", "« 1e5 » n'est pas un nombre."),
    ("NaN", "« NaN » n'est pas un nombre."),
    ("Infinity", "« Infinity » n'est pas un nombre."),
    ("deux", "« deux » n'est pas un nombre."),
    ("9" * 41, "Nombre trop long."),
]
FRENCH_FIELDS = [(name, field) for name, field in fields_of_classes() if isinstance(field, FrenchDecimalField)]


@pytest.mark.parametrize(("name", "field"), FRENCH_FIELDS, ids=[name for name, _field in FRENCH_FIELDS])
def test_every_such_field_reads_numbers_alike(name: str, field: FrenchDecimalField) -> None:
    for text, number in NUMBERS:
        assert field.to_python(text) == (None if number is None else Decimal(number)), text
    for text, words in NO_NUMBERS:
        with pytest.raises(ValidationError) as refused:
            field.to_python(text)
        assert refused.value.messages == [words]


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (MoneyField(), "-1", "Pas moins que zéro."),
        (MoneyField(min_value=Decimal("0.01")), "0", "Écrivez un nombre plus grand que zéro."),
        (MoneyField(), "0,125", "2 décimales au plus."),
        (MoneyField(), "1 000 000 000 000", "999 999 999 999,99 au plus."),
        (QuantityField(), "0,1255", "3 décimales au plus."),
        (QuantityField(max_value=Decimal("2.5")), "2,6", "2,5 au plus."),
        (WholeNumberField(), "1,5", "Écrivez un nombre entier."),
        (MoneyField(), "", "Ce champ est obligatoire."),
    ],
)
def test_a_limit_is_explained_in_plain_words(field: FrenchDecimalField, text: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        field.clean(text)
    assert [message.replace("\N{NO-BREAK SPACE}", " ") for message in refused.value.messages] == [words]


def test_the_limit_itself_is_accepted() -> None:
    assert MoneyField().clean("999 999 999 999,99") == Decimal("999999999999.99")
    assert QuantityField(max_value=Decimal("2.5")).clean("2,5000") == Decimal("2.5")
    assert (WholeNumberField().clean("1 000"), WholeNumberField(required=False).clean("")) == (1000, None)


def test_what_a_field_shows_it_reads_again() -> None:
    field = FrenchDecimalField()
    for number in (Decimal("25000.00"), Decimal("1.125"), Decimal("-0.5"), Decimal("0.000")):
        assert field.to_python(field.prepare_value(number)) == number


def test_a_refusal_speaks_the_language_of_the_page() -> None:
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        FrenchDecimalField().clean("1.500")
    assert refused.value.messages == ["“1.500” may mean two things: write 1500, or 1,5000."]


class Pages:
    """Every page with such a field: opens it, fills it in with a text, and sends it."""

    def __init__(self, cast: Cast, bob: Client) -> None:
        self.cast, self.bob = cast, bob
        self.unit: ArticleUnit = cast.rice.base_unit
        self.carton = add_unit(cast.rice, level=UnitLevel.CARTON, mark="PALETTE", stock=2, holds=Decimal(40))

    def send(self, page: str, field: str, text: str) -> HttpResponse:
        return getattr(self, page)(field, text)

    def _fill(self, page: str, address: str, /, **typed: str) -> HttpResponse:
        return self.bob.post(address, form_of(self.bob.get(page), address, **typed), follow=True)

    def new_sale(self, field: str, text: str) -> HttpResponse:
        address = reverse("web:new_sale")
        typed = {"unite": str(self.unit.uuid), "quantite": "2", "prix": "10", "remise": "", "faire": "enregistrer"}
        return self.bob.post(address, {**form_of(self.bob.get(address), address), **typed, field: text}, follow=True)

    def payment(self, field: str, text: str) -> HttpResponse:
        address = reverse("web:take_payment", args=[self._sold(paye=False).pk])
        return self._fill(address, address, **{"mode": "CASH", "montant": "5", field: text})

    def settings(self, field: str, text: str) -> HttpResponse:
        address = reverse("web:settings")
        return self._fill(address, address, **{field: text})

    def return_lines(self, field: str, text: str) -> HttpResponse:
        address = reverse("web:return_lines", args=[self._sold(quantity=4).pk])
        return self._fill(address, address, motif="cassé", mode="CASH", **{field: text})

    def sales(self, field: str, text: str) -> HttpResponse:
        return self.bob.get(reverse("web:sales"), {field: text})

    def closing(self, field: str, text: str) -> HttpResponse:
        address = reverse("web:close_day")
        typed = {"caisse": str(self.cast.terminal.pk), "compte_CDF": "5"}
        return self._fill(address, address, **{**typed, field: text})

    def move(self, field: str, text: str) -> HttpResponse:
        return self._on_the_article("move_unit", self.unit, action="entree", **{field: text})

    def change(self, field: str, text: str) -> HttpResponse:
        return self._on_the_article("change_unit", self.carton, **{field: text})

    def opening(self, field: str, text: str) -> HttpResponse:
        return self._on_the_article("open_unit", self.carton, **{field: text})

    def new_article(self, field: str, text: str) -> HttpResponse:
        address = reverse("web:new_article")
        return self._fill(address, address, **{"nom": "Sel", "code": "SEL", "prix": "5", field: text})

    def _on_the_article(self, name: str, unit: ArticleUnit, **typed: str) -> HttpResponse:
        action = reverse(f"web:{name}", args=[unit.article_id, unit.pk])
        return self._fill(reverse("web:article", args=[unit.article_id]), action, **typed)

    def _sold(self, **fields: object) -> Sale:
        number = f"FAC-{Sale.objects.count()}"
        return recorded(post(self.cast.device, sale(self.cast.rice, numero_facture=number, **fields)))

    def typed_so_far(self) -> tuple[object, ...]:
        """Return what people have recorded in the shop so far, without the till's sales."""
        units = ArticleUnit.objects.order_by("pk").values_list("price", "holds", "low_stock_threshold", "vat_rate")
        documents = Sale.objects.exclude(terminal=self.cast.terminal).count()
        movements = StockMovement.objects.exclude(type=MovementType.SALE).count()
        rates = list(ExchangeRate.objects.values_list("rate", flat=True))
        return list(units), documents, movements, rates, TillClosing.objects.count()


@pytest.mark.parametrize(
    ("page", "field", "good"),
    [
        ("new_sale", "quantite", "1,5"),
        ("new_sale", "prix", "1 500,25"),
        ("new_sale", "remise", "1.5"),
        ("new_sale", "remise_vente", "1,5"),
        ("new_sale", "recu", "1 500"),
        ("payment", "montant", "1 500"),
        ("payment", "cours_USD", "2 850"),
        ("settings", "cours_USD", "2 850"),
        ("return_lines", "ligne_1", "1,5"),
        ("sales", "montant_min", "1 500"),
        ("sales", "montant_max", "1 500,25"),
        ("closing", "compte_CDF", "1 500,25"),
        ("closing", "fond_CDF", "1 500"),
        ("closing", "sorties_USD", "1,5"),
        ("move", "quantite", "1,5"),
        ("change", "prix", "1 500"),
        ("change", "contient", "1,5"),
        ("change", "seuil", "1,5"),
        ("change", "taux_tva", "1,5"),
        ("opening", "nombre", "1"),
        ("new_article", "prix", "1 500"),
        ("new_article", "quantite", "1,5"),
    ],
)
def test_a_number_that_may_mean_two_is_refused_on_every_page(
    page: str, field: str, good: str, cast: Cast, bob: Client
) -> None:
    pages = Pages(cast, bob)
    pages.send(page, field, good)
    before = pages.typed_so_far()
    assert AMBIGUOUS in seen(pages.send(page, field, "1.500"))
    assert pages.typed_so_far() == before
    assert AMBIGUOUS not in seen(pages.send(page, field, good))
