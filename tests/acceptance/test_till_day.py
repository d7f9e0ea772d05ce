"""A day at the example till: followers, what the shop repairs, the catalogue, and the drawer at the end."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from backend.example_till import Till
from backend.example_till.queue import KEPT
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Heartbeat, Sale, SaleOutcome, TillClosing
from backend.sales.repair.desk import Desk
from backend.testing import Cast, add_unit
from tests.acceptance.conftest import MakeTill
from tests.acceptance.test_till import recorded_numbers, rice
from tests.faults.proxy import FaultProxy

DieAt = Callable[..., bool]


def rice_left(cast: Cast) -> Decimal:
    cast.rice.base_unit.refresh_from_db()
    return cast.rice.base_unit.stock


@pytest.mark.embedded
def test_documents_that_follow_a_sale_offline_take_effect_in_order(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    till = make_till(open_shop)
    sale, credit = till.sell([rice(cast, 4)]), till.sell([rice(cast, 2)], paye=False)
    back = till.take_back({1: Decimal("1.5")}, number=sale, motif="sac percé")
    paid = till.take_payment(Decimal(20000), number=credit)
    wrong = till.sell([rice(cast, 10)])
    void = till.void(number=wrong, motif="erreur de saisie")

    report = till.sync(timeout_s=60)

    statuses = ["created", "created", "returned", "paid", "created", "voided"]
    assert [sale.status for sale in report.recorded] == statuses
    assert recorded_numbers(cast.terminal) == [sale, credit, back, paid, wrong, void]
    assert rice_left(cast) == Decimal("95.5")
    returned = Sale.objects.get(number=back)
    assert (returned.total, returned.origin.number, returned.reason) == (Decimal(37500), sale, "sac percé")

    # The next morning, when all of it is purged, the book still has it.
    assert till.take_payment(Decimal(30000), number=credit)
    assert till.sync(timeout_s=60).recorded[0].status == "paid"
    assert Sale.objects.get(number=credit).paid_total == Decimal(50000)


def test_a_sale_of_another_till_is_named_by_its_registration_number(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    first = make_till(open_shop)
    first.sell([rice(cast, 3)])
    registration = first.sync(timeout_s=60).recorded[0].registration_number
    second = make_till(open_shop, file="second.sqlite3", serial=cast.token_device.serial, token=cast.token)
    second.take_back({1: Decimal(1)}, registration=registration)
    second.take_back({1: Decimal(3)}, registration=registration)  # one too many, as only the server can tell

    report = second.sync(timeout_s=60)

    assert [sale.status for sale in report.recorded] == ["returned"]
    assert [sale.code for sale in report.in_state(KEPT)] == ["retour_excessif"]
    assert rice_left(cast) == Decimal(98)


def test_a_sale_that_the_shop_repairs_days_later_leaves_the_till(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    till = make_till(open_shop)
    short, other = till.sell([rice(cast, 1000)]), till.sell([rice(cast, 2000)])
    assert [sale.state for sale in till.sync(timeout_s=60).pending] == [KEPT, KEPT]
    cursor = till.book.setting("changes_cursor")
    outcome = SaleOutcome.objects.get(number=short)
    Desk(shop=cast.shop, user=cast.alice).accept_short_stock(outcome.batch_id, outcome.position)

    report = till.sync(timeout_s=60)

    assert [(sale.number, sale.status) for sale in report.recorded] == [(short, "created")]
    assert [sale.number for sale in report.pending] == [other]
    assert till.book.setting("changes_cursor") != cursor
    assert Batch.objects.count() == 1
    till.book.keep_settings(changes_cursor="of another server")
    assert till.read_changes() == 0
    assert till.book.setting("changes_cursor") != "of another server"


@pytest.mark.embedded
def test_it_sells_by_code_from_the_catalogue_that_it_read(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    carton = add_unit(cast.rice, level="CARTON", mark="PAL", price=900000, stock=3)
    till = make_till(open_shop)
    assert till.catalogue.refresh() == 2
    line, currency = till.catalogue.line("RIZ25", quantity=Decimal(2))
    assert (line["unite_uuid"], line["prix_unitaire"], currency) == (str(cast.rice.base_unit.uuid), "25000.00", "CDF")
    number = till.sell([line, till.catalogue.line("RIZ25", quantity=Decimal(1), level="CARTON")[0]])
    cast.rice.code = "RIZ-25KG"
    cast.rice.save(update_fields=["code"])

    assert till.sync(timeout_s=60).settled
    assert Sale.objects.get(number=number).total == Decimal(950000)
    carton.refresh_from_db()
    assert (rice_left(cast), carton.stock) == (Decimal(98), Decimal(2))


def test_the_heartbeat_says_what_it_holds_and_returns_its_clocks_skew_and_gaps(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    till = make_till(open_shop)
    till.sell([rice(cast)], date_vente="2024-11-04T15:10:00+01:00")
    state = till.heartbeat()
    said = Heartbeat.objects.get()
    assert (said.held_count, said.held_amounts, said.sequence) == (1, [{"currency": "CDF", "amount": "25000.00"}], 1)
    assert said.oldest_held_at.isoformat() == "2024-11-04T14:10:00+00:00"
    assert abs(state["ecart_horloge_s"]) < 10

    till.sync(timeout_s=60)
    said = Heartbeat.objects.latest("at")
    assert (said.held_count, said.oldest_held_at) == (0, None)
    till.book.count_on_from("sequence", 3)
    till.sell([rice(cast)])
    till.sync(timeout_s=60)
    assert till.heartbeat()["trous"] == [{"de": 2, "a": 3}]


# --- The end of the day ---


def sell_a_day(till: Till, cast: Cast) -> None:
    """Sell and take money in every way: cash, of which some comes back; a credit, half paid; dollars; a void."""
    sale = till.sell([rice(cast, 2)])
    credit = till.sell([rice(cast)], paye=False)
    dollars = {"mode": "cash", "devise": "USD", "montant": 5, "taux": 2850}
    rest = {"mode": "MOBILE_MONEY", "devise": "CDF", "montant": 10750}
    till.sell([rice(cast)], paiements=[dollars, rest])
    till.take_back({1: Decimal(1)}, number=sale)
    till.take_back({1: Decimal("0.2")}, number=credit)
    till.take_payment(Decimal(12500), number=credit)
    till.void(number=till.sell([rice(cast)], mode_paiement="MOBILE_MONEY"), mode_paiement="MOBILE_MONEY")


@pytest.mark.embedded
def test_a_day_that_was_counted_correctly_is_equal(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    till = make_till(open_shop)
    sell_a_day(till, cast)
    till.close_drawer(
        opening={"CDF": 20000, "USD": 3},
        payouts=[("transport", "CDF", 3000)],
        counted={"CDF": 20000 + 25000 + 12500 - 3000, "USD": 8},
    )

    report = till.sync(timeout_s=60)

    (answer,) = report.days
    assert answer["resultat"] == "egal", answer
    assert answer["totaux"] == [
        {"mode": "CASH", "devise": "CDF", "nombre": 3, "montant": "37500.00"},
        {"mode": "MOBILE_MONEY", "devise": "CDF", "nombre": 3, "montant": "10750.00"},
        {"mode": "CASH", "devise": "USD", "nombre": 1, "montant": "5.00"},
    ]
    assert [line["ecart"] for line in answer["caisse"]] == ["0.00", "0.00"]
    assert till.closings.open() == []
    assert till.sync(timeout_s=60).days == []
    assert TillClosing.objects.count() == 1


def test_the_command_closes_offline_and_shows_the_difference_when_there_is_a_network(
    open_shop: str, running: Stack, cast: Cast, tmp_path: Path
) -> None:
    def till(*arguments: str, url: str = open_shop) -> str:
        return running.run_once("till", *arguments, "--url", url, "--file", str(tmp_path / "commande.sqlite3"))

    nobody = "http://127.0.0.1:9"
    assert "2 article(s) lu(s)" in till("articles")
    sale = till("sell", "--code", "RIZ25", "--quantity", "2", "--cashier", "C2", url=nobody).split()[0]
    credit = till("sell", "--code", "HUI20", "--credit", "--cashier", "C2", url=nobody).split()[0]
    till("return", sale, "--line", "1", "--quantity", "0,5", "--reason", "abîmé", "--cashier", "C2", url=nobody)
    till("pay", credit, "--amount", "25000", "--cashier", "C2", url=nobody)
    till("sell", "--article", str(cast.rice.pk), "--quantity", "1000", "--price", "1", "--cashier", "C1", url=nobody)
    drawer = ["--float", "CDF=20000", "--payout", "transport:CDF=3000", "--counted", "CDF=80000", "--cashier", "C2"]
    assert "comparée au prochain envoi" in till("close", *drawer, url=nobody)
    assert "Horloge de la caisse" in (said := till("heartbeat"))
    assert "5 vente(s) à envoyer" in said

    watched = till("watch", "--timeout", "60")

    assert "il y a un écart" in watched
    assert "À corriger en boutique : FAC-" in watched
    assert "Espèces CDF : attendu 79500.00, compté 80000.00, 500.00 de trop" in watched
    closing = TillClosing.objects.get()
    assert (closing.cashier, closing.result) == ("C2", "ecart")
    assert "Journée du" in till("close", "--timeout", "60")


def test_a_sale_that_the_server_lacks_at_the_end_of_the_day_is_sent_again(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    """The server was restored from a backup: it had answered `purger`, and has lost the sale since."""
    till = make_till(open_shop)
    purged = [till.sell([rice(cast)]) for _ in range(2)]
    batch = till.queue.batch_to_send(sales_max=10)
    till.queue.settle(
        [{"numero_facture": number, "status": "created", "action": "purger"} for number in purged], batch=batch
    )
    assert till.pending() == []
    kept = till.sell([rice(cast)])
    till.close_drawer()

    report = till.sync(timeout_s=60)

    assert [answer["resultat"] for answer in report.days] == ["egal"]
    assert sorted(recorded_numbers(cast.terminal)) == sorted([*purged, kept])
    assert TillClosing.objects.count() == 2
    assert TillClosing.objects.earliest("pk").answered["manquantes"] == purged


def test_a_drawer_waits_while_its_sales_wait(
    proxy: FaultProxy, make_till: MakeTill, resume_posting: Callable[[], None], cast: Cast
) -> None:
    """While a sale is not sent yet, the comparison would find it missing, and the cashier would be blamed."""
    till = make_till(proxy.url)
    till.sell([rice(cast)])
    till.close_drawer(counted={"CDF": 25000})
    assert till.sync(timeout_s=1).days == []
    assert TillClosing.objects.count() == 0
    resume_posting()
    assert [answer["resultat"] for answer in till.sync(timeout_s=60).days] == ["egal"]


def test_a_till_killed_at_any_step_of_closing_loses_neither_sale_nor_drawer(
    open_shop: str, make_till: MakeTill, die_at: DieAt, cast: Cast
) -> None:
    """About every third step: between the statements of one transaction every step has the same effect."""
    till, died, step, sold = make_till(open_shop), True, 0, []
    while died:
        step += 3
        sold.append(till.sell([rice(cast)], date_vente=f"2024-11-04T10:{step // 60:02}:{step % 60:02}+01:00"))
        closed_before = len(till.book.file.execute("SELECT id FROM closings").fetchall())
        died = die_at(step, open_shop, "close", file="caisse.sqlite3", serial=cast.device.serial)
        closings = till.book.file.execute("SELECT answer FROM closings").fetchall()
        assert len(closings) in (closed_before, closed_before + 1)

        assert till.sync(timeout_s=60).settled
        assert till.closings.open() == []
        till.close_drawer(day="2024-11-04")
        assert [answer["resultat"] for answer in till.sync(timeout_s=60).days] == ["egal"]
    assert recorded_numbers(cast.terminal) == sold
