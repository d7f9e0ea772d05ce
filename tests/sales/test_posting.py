"""What one posted sale writes."""

from decimal import Decimal

import pytest

from backend.inventory.models import StockMovement, UnitLevel
from backend.sales.models import InvoiceSequence, MoneyMovement, Sale, SaleLine, SaleOutcome
from backend.sales.receipts.movement_comments import comments_of
from backend.shops.models import StockPolicy
from backend.testing import Cast, add_unit, make_article, make_device, make_shop, make_terminal
from tests.invariants import check_invariants
from tests.tills import Till, line, sale, stock_of

pytestmark = pytest.mark.embedded


@pytest.fixture
def trusting_till(cast: Cast) -> Till:
    """A till of Alice's shop after she chose to sell what she has not counted."""
    cast.shop.stock_policy = StockPolicy.ACCEPT
    cast.shop.save(update_fields=["stock_policy"])
    return Till(cast.device)


def test_a_sale_leaves_a_document_lines_movements_and_a_number(cast: Cast, till: Till) -> None:
    entry = till.settle_one(
        sale(
            " FAC-1 ",
            line(cast.rice, quantity=1.5, price=3000, remise=500, taux_tva=16),
            line(cast.oil, price="74000"),
            date_vente="2024-11-04T17:42:10+01:00",
            remise=1000,
            caissier={"code": "C2", "nom": "  Caisse \t 2 "},
            client={"nom": "Client", "telephone": "+243", "nif": "A1"},
            motif="fête",
            fiscal={"signature": "abc"},
            mode_paiement="MOBILE_MONEY",
            paye=False,
        )
    )

    document = Sale.objects.get(pk=entry["id"])
    assert (document.number, document.variant, document.kind) == ("FAC-1", 1, "vente")
    assert (document.total, document.discount, document.currency) == (Decimal(77000), Decimal(1000), "CDF")
    assert (document.payment_mode, document.is_paid, document.paid_total) == ("MOBILE_MONEY", False, 0)
    assert (document.cashier_code, document.cashier_name, document.customer_phone) == ("C2", "Caisse 2", "+243")
    assert (document.reason, document.fiscal) == ("fête", {"signature": "abc"})
    assert (document.shop_id, document.device_id, document.position) == (cast.shop.pk, cast.device.pk, 1)
    assert document.sold_at_text == "2024-11-04T17:42:10+01:00"
    assert document.recorded_at >= document.received_at
    lines = SaleLine.objects.filter(document=document).order_by("position")
    assert [
        (one.article_name, one.unit_mark, one.quantity, one.discount, one.vat_rate, one.total) for one in lines
    ] == [
        ("Riz 25 kg", "PCE", Decimal("1.5"), Decimal(500), Decimal(16), Decimal(4000)),
        ("Huile 20 L", "PCE", Decimal(1), Decimal(0), Decimal(0), Decimal(74000)),
    ]
    movements = StockMovement.objects.filter(document=document).order_by("line")
    assert [(one.type, one.quantity, one.stock_before, one.stock_after, one.line) for one in movements] == [
        ("VENTE", Decimal("-1.5"), Decimal(100), Decimal("98.5"), 1),
        ("VENTE", Decimal(-1), Decimal(100), Decimal(99), 2),
    ]
    assert movements[0].reference == "FAC-1"
    assert comments_of(movements)[movements[0].pk] == "Vente #FAC-1 - Prix: 3000.00 CDF"
    assert movements[0].author == "Terminal MAUI"
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (Decimal("98.5"), 99)
    assert [one["stock_apres"] for one in entry["lignes"]] == [98.5, 99]
    check_invariants()


def test_a_refused_sale_leaves_an_outcome_and_nothing_else(cast: Cast, till: Till) -> None:
    till.settle(sale("FAC-1", line(cast.oil), line(cast.rice, quantity=101)))

    assert (Sale.objects.count(), SaleLine.objects.count(), InvoiceSequence.objects.count()) == (0, 0, 0)
    assert not StockMovement.objects.filter(type="VENTE").exists()
    assert (stock_of(cast.rice), stock_of(cast.oil)) == (100, 100)
    outcome = SaleOutcome.objects.get()
    assert (outcome.status, outcome.path, outcome.number) == ("rejected", "lignes[1].quantite", "FAC-1")
    assert (outcome.amount, outcome.currency) == (Decimal(101 * 25000 + 25000), "CDF")


def test_a_bad_sale_blocks_no_other(cast: Cast, till: Till) -> None:
    till.settle(
        sale("A", line(cast.rice)), sale("B", line(cast.rice, quantity=500)), "rien", sale("C", line(cast.rice))
    )
    assert till.outcomes() == ["created", "rejected", "rejected", "created"]
    assert stock_of(cast.rice) == 98
    check_invariants()


def test_lines_of_one_unit_are_taken_off_one_after_the_other(cast: Cast, till: Till) -> None:
    entry = till.settle_one(sale("A", line(cast.rice, quantity=2), line(cast.oil), line(cast.rice, quantity=3)))
    assert [one["stock_apres"] for one in entry["lignes"]] == [98, 99, 95]
    assert stock_of(cast.rice) == 95
    check_invariants()


def test_lines_of_one_unit_count_together_against_the_stock(cast: Cast, till: Till) -> None:
    enough = sale("A", line(cast.rice, quantity=60), line(cast.rice, quantity=40))
    too_much = sale("B", line(cast.oil, quantity=60), line(cast.oil, quantity=41))
    assert till.settle_one(enough)["status"] == "created"
    refused = till.settle_one(too_much)
    assert refused["erreur"] == "Stock insuffisant pour Huile 20 L (demandé 101, disponible 100)"
    assert refused["chemin"] == "lignes[1].quantite"


def test_stock_may_go_negative_where_the_shop_says_so(cast: Cast, trusting_till: Till) -> None:
    exact = trusting_till.settle_one(sale("A", line(cast.rice, quantity=100)))
    below = trusting_till.settle_one(sale("B", line(cast.rice, quantity="0.5")))
    assert exact["avertissements"] == ["sans_heure"]
    assert below["avertissements"] == ["sans_heure", "stock_negatif"]
    assert below["lignes"][0]["stock_apres"] == -0.5
    assert stock_of(cast.rice) == Decimal("-0.5")
    check_invariants()


def test_stock_below_its_columns_range_is_a_refusal_and_no_bug(cast: Cast, trusting_till: Till) -> None:
    lines = [line(cast.rice, quantity=9_999_999_999, price=0)] * 11
    refused = trusting_till.settle_one(sale("A", *lines))
    assert (refused["code"], refused["chemin"]) == ("champ_invalide", "lignes[10].quantite")
    assert stock_of(cast.rice) == 100


def test_a_line_without_a_vat_rate_takes_the_units(cast: Cast, till: Till) -> None:
    taxed = make_article(cast.shop, vat_rate=16)
    till.settle_one(sale("A", line(taxed), line(taxed, taux_tva=0), line(taxed, taux_tva="8.005")))
    assert list(SaleLine.objects.order_by("position").values_list("vat_rate", flat=True)) == [
        Decimal("16.00"),
        Decimal("0.00"),
        Decimal("8.01"),
    ]


def test_several_payments_keep_their_mode_currency_and_rate(cast: Cast, till: Till) -> None:
    entry = till.settle_one(
        sale(
            "A",
            line(cast.oil, price=78500),
            paiements=[
                {"mode": "CASH", "montant": 50000},
                {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 10, "taux": 2850},
            ],
        )
    )
    assert entry["status"] == "created"
    rows = MoneyMovement.objects.order_by("position").values_list("mode", "currency", "amount", "rate")
    assert list(rows) == [
        ("CASH", "CDF", Decimal("50000.00"), Decimal("1.00000000")),
        ("MOBILE_MONEY", "USD", Decimal("10.00"), Decimal("2850.00000000")),
    ]
    assert Sale.objects.get().paid_total == Decimal(78500)


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"devise": "EUR"}, "devise_inconnue", "devise"),
        (
            {"paiements": [{"montant": 1}, {"devise": "EUR", "montant": 1, "taux": 1}]},
            "devise_inconnue",
            "paiements[1].devise",
        ),
        ({"paiements": [{"devise": "USD", "montant": 1}]}, "champ_invalide", "paiements[0].taux"),
    ],
)
def test_a_currency_that_the_shop_does_not_take_is_refused(
    cast: Cast, till: Till, fields: dict, code: str, path: str
) -> None:
    taken = {"devise": "USD", "paiements": [{"devise": "USD", "montant": 1}]}
    assert till.settle_one(sale("A", line(cast.rice), **taken))["devise"] == "USD"
    refused = till.settle_one(sale("B", line(cast.rice), **fields))
    assert (refused["code"], refused["chemin"]) == (code, path)


def test_an_inactive_article_is_a_warning(cast: Cast, till: Till) -> None:
    cast.rice.is_active = False
    cast.rice.save(update_fields=["is_active"])
    entry = till.settle_one(sale("A", line(cast.rice), line(cast.oil)))
    assert (entry["status"], entry["avertissements"]) == ("created", ["sans_heure", "article_inactif"])


def test_every_warning_of_the_amounts_comes_once(cast: Cast, till: Till) -> None:
    entry = till.settle_one(
        sale(
            "A",
            line(cast.rice, quantity="1.00049", price="0.30000000000000004"),
            line(cast.oil, price="0.001"),
            montant_total=5,
        )
    )
    assert entry["avertissements"] == ["arrondi", "montant_total_different", "sans_heure"]
    assert entry["montant_total"] == "0.30"


def test_a_unit_is_named_by_its_uuid_or_by_its_article(cast: Cast, till: Till) -> None:
    carton = add_unit(cast.rice, level=UnitLevel.CARTON, mark="CT", stock=10)
    ways = [
        ({"unite_uuid": str(carton.uuid)}, carton.pk),
        ({"unite_uuid": str(carton.uuid), "article_id": cast.rice.pk}, carton.pk),
        ({"article_id": cast.rice.pk}, cast.rice.base_unit_id),
        ({"article_uuid": str(cast.rice.uuid)}, cast.rice.base_unit_id),
        ({"article_uuid": str(cast.rice.uuid), "article_id": cast.rice.pk}, cast.rice.base_unit_id),
    ]
    entry = till.settle_one(sale("A", *({"quantite": 1, "prix_unitaire": 1, **names} for names, _ in ways)))
    assert entry["status"] == "created"
    assert list(SaleLine.objects.order_by("position").values_list("unit_id", flat=True)) == [unit for _, unit in ways]


def test_names_that_disagree_are_ambiguous(cast: Cast, till: Till) -> None:
    without_base = make_article(cast.shop)
    without_base.base_unit = None
    without_base.save(update_fields=["base_unit"])
    rice, oil = cast.rice, cast.oil
    for names in (
        {"unite_uuid": str(rice.base_unit.uuid), "article_id": oil.pk},
        {"article_uuid": str(rice.uuid), "article_id": oil.pk},
        {"article_id": without_base.pk},
    ):
        refused = till.settle_one(sale("A", {"quantite": 1, "prix_unitaire": 1, **names}))
        assert (refused["code"], refused["action"]) == ("unite_ambigue", "garder")
        assert refused["erreur"].startswith("Unité ambiguë")
    for names, code in (
        ({"unite_uuid": str(rice.uuid)}, "unite_inconnue"),
        ({"unite_uuid": str(rice.base_unit.uuid), "article_id": cast.other_article.pk}, "article_inconnu"),
    ):
        assert till.settle_one(sale("A", {"quantite": 1, "prix_unitaire": 1, **names}))["code"] == code


def test_an_unknown_kind_is_for_the_till_to_correct(cast: Cast, till: Till) -> None:
    unknown = till.settle_one({"type": "devis", "numero_facture": "D-1"})
    assert (unknown["code"], unknown["action"], unknown["chemin"]) == ("type_inconnu", "corriger", "type")
    assert stock_of(cast.rice) == 100


def test_a_tills_sales_take_effect_in_the_order_it_sent_them(cast: Cast, till: Till) -> None:
    for batch in (["A", "B"], ["C"], ["D", "E"]):
        till.hand_over(*(sale(number, line(cast.rice)) for number in batch))
    till.post_all()
    assert list(Sale.objects.order_by("pk").values_list("number", flat=True)) == ["A", "B", "C", "D", "E"]
    check_invariants()


def test_a_document_belongs_to_the_shop_that_accepted_the_batch(cast: Cast, till: Till) -> None:
    """An accepted sale is posted in the shop where it was sold, even if the till has moved since."""
    waiting = till.hand_over(sale("A", line(cast.rice)))
    cast.terminal.shop = cast.other_shop
    cast.terminal.save(update_fields=["shop"])
    till.post_all()
    assert Sale.objects.get(batch__receipt=waiting).shop_id == cast.shop.pk


def test_an_accepted_sale_is_posted_even_if_the_device_is_disabled_later(cast: Cast, till: Till) -> None:
    till.hand_over(sale("A", line(cast.rice)))
    cast.device.state = "disabled"
    cast.device.save(update_fields=["state"])
    till.post_all()
    assert till.outcomes() == ["created"]


def test_a_shop_sells_in_its_own_currency(cast: Cast) -> None:
    shop = make_shop(currency="USD", currencies="USD")
    till = Till(make_device(make_terminal(shop)))
    rice = make_article(shop)
    assert till.settle_one(sale("A", line(rice)))["devise"] == "USD"
    assert till.settle_one(sale("B", line(rice), devise="CDF"))["code"] == "devise_inconnue"
