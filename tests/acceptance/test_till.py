"""The example till against the real system: what it sells offline is recorded once, whatever is lost on the way."""

import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from backend.example_till.queue import KEPT, TO_CORRECT, WAITING
from backend.localrun.processes import ProcessFailed
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale, SaleOutcome
from backend.shops.devices import hash_token
from backend.shops.models import Terminal
from backend.testing import Cast
from tests.acceptance.conftest import MakeTill
from tests.acceptance.old_till import LegacyTill
from tests.faults.proxy import FaultProxy

SYNC = """
import sys
from backend.example_till import Till
with Till(sys.argv[1], sys.argv[2], sys.argv[3], batch_sales_max=5) as till:
    till.sync()
"""


def rice(cast: Cast, quantity: int = 1) -> dict:
    return {"article_id": cast.rice.pk, "quantite": quantity, "prix_unitaire": "25000.00"}


def recorded_numbers(terminal: Terminal) -> list[str]:
    """Return the numbers in the order in which the sales took effect."""
    return list(Sale.objects.filter(terminal_id=terminal.pk).order_by("pk").values_list("number", flat=True))


@pytest.mark.embedded
def test_what_was_sold_offline_is_recorded_in_order_and_leaves_the_queue(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    till = make_till(open_shop, batch_sales_max=2)
    numbers = [till.sell([rice(cast)]) for _ in range(5)]

    report = till.sync(timeout_s=60)

    assert (report.settled, report.pending, report.problem) == (True, [], None)
    assert [sale.number for sale in report.recorded] == numbers == recorded_numbers(cast.terminal)
    assert [sale.registration_number[-6:] for sale in report.recorded] == [f"{n:06}" for n in range(1, 6)]
    assert Batch.objects.count() == 3
    cast.rice.base_unit.refresh_from_db()
    assert cast.rice.base_unit.stock == 95
    assert till.book.file.execute("SELECT count(*) FROM batches").fetchone() == (0,)


def test_a_lost_answer_makes_one_batch(proxy: FaultProxy, make_till: MakeTill, cast: Cast) -> None:
    till = make_till(proxy.url)
    numbers = [till.sell([rice(cast)]) for _ in range(3)]
    proxy.swallow_answer_to(b"POST ")

    assert till.send_once() == 0
    proxy.wait_for_faults(1)
    assert Batch.objects.count() == 1
    assert [sale.state for sale in till.pending()] == [WAITING] * 3

    report = make_till(proxy.url).sync(timeout_s=60)  # after a restart: all it knows is in the file
    assert [sale.status for sale in report.recorded] == ["created"] * 3
    assert Batch.objects.count() == 1
    assert recorded_numbers(cast.terminal) == numbers


def test_a_bad_network_only_takes_time(proxy: FaultProxy, make_till: MakeTill, cast: Cast) -> None:
    till = make_till(proxy.url, timeout_s=1.0)
    numbers = [till.sell([rice(cast)]) for _ in range(2)]

    proxy.refuse()
    assert not till.sync(timeout_s=0.5).settled
    proxy.cut_request(after_bytes=100)
    till.send_once()
    proxy.hang()
    assert not till.sync(timeout_s=1.5).settled
    assert Batch.objects.count() == 0
    proxy.refuse()  # bytes that still wait in the proxy are lost, and do not arrive later
    proxy.swallow_answer_to(times=3)

    assert till.sync(timeout_s=60).settled
    assert proxy.faults == 4
    assert recorded_numbers(cast.terminal) == numbers
    assert Batch.objects.count() == 1


def test_each_sale_is_kept_or_purged_by_its_own_outcome(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    till = make_till(open_shop)
    good = till.sell([rice(cast)], client={"nom": "Zoé 🙂"})
    foreign = till.sell([{"article_id": cast.other_article.pk, "quantite": 1, "prix_unitaire": 1000}])
    nothing = till.sell([rice(cast, quantity=0)])
    too_much = till.sell([rice(cast, quantity=1000)])
    after = till.sell([rice(cast)])

    report = till.sync(timeout_s=60)

    assert [sale.number for sale in report.recorded] == [good, after]
    assert [(sale.number, sale.code) for sale in report.in_state(KEPT)] == [
        (foreign, "article_inconnu"),
        (too_much, "stock_insuffisant"),
    ]
    assert [(sale.number, sale.code) for sale in report.in_state(TO_CORRECT)] == [(nothing, "champ_invalide")]
    assert "Stock insuffisant pour Riz 25 kg" in str(report.in_state(KEPT)[1])

    # The till asks for sales that it keeps, and never sends them again.
    assert till.sync(timeout_s=10).settled
    assert Batch.objects.count() == 1
    assert SaleOutcome.objects.count() == 5
    entries = till.status([good, foreign, "FAC-jamais-vue"])
    assert [(entry["status"], entry["action"]) for entry in entries] == [
        ("created", "purger"),
        ("rejected", "garder"),
        ("unknown", "renvoyer"),
    ]


def test_a_lost_receipt_is_asked_for_number_by_number(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    till = make_till(open_shop)
    numbers = [till.sell([rice(cast)]) for _ in range(2)]
    till.sell([rice(cast, quantity=1000)])
    assert till.send_once() == 3
    till.book.file.execute("UPDATE batches SET receipt = ?", [str(uuid.uuid4())])

    report = till.sync(timeout_s=60)

    assert [sale.number for sale in report.recorded] == numbers
    assert [sale.code for sale in report.pending] == ["stock_insuffisant"]
    assert Batch.objects.count() == 1


def test_a_batch_that_the_server_never_had_goes_out_again(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    """As after the server was restored from yesterday's backup."""
    till = make_till(open_shop)
    numbers = [till.sell([rice(cast)]) for _ in range(2)]
    till.queue.accept(till.queue.batch_to_send(sales_max=10), receipt=str(uuid.uuid4()))

    assert till.sync(timeout_s=60).settled
    assert recorded_numbers(cast.terminal) == numbers


def test_a_restored_file_gets_duplicates_and_doubles_nothing(
    open_shop: str, make_till: MakeTill, cast: Cast, tmp_path: Path
) -> None:
    till = make_till(open_shop)
    numbers = [till.sell([rice(cast)]) for _ in range(3)]
    with closing(sqlite3.connect(tmp_path / "restored.sqlite3")) as backup:
        till.book.file.backup(backup)
    assert till.sync(timeout_s=60).settled

    report = make_till(open_shop, file="restored.sqlite3").sync(timeout_s=60)

    assert [(sale.number, sale.status) for sale in report.recorded] == [(number, "duplicate") for number in numbers]
    assert recorded_numbers(cast.terminal) == numbers


def test_a_till_killed_again_and_again_sends_everything_once(
    open_shop: str, make_till: MakeTill, cast: Cast, tmp_path: Path
) -> None:
    till = make_till(open_shop)
    numbers = [till.sell([rice(cast)]) for _ in range(30)]
    command = [sys.executable, "-c", SYNC, str(tmp_path / "caisse.sqlite3"), open_shop, cast.device.serial]
    for life_s in (0.25, 0.3, 0.4, 0.6, 1.0):
        with subprocess.Popen(command) as child:
            time.sleep(life_s)
            child.send_signal(signal.SIGKILL)

    assert till.sync(timeout_s=60).settled
    assert [sale.number for sale in till.queue.journal()] == numbers == recorded_numbers(cast.terminal)


def test_it_waits_when_the_server_has_enough_and_halves_what_is_too_large(
    open_shop: str, resume_posting: Callable[[], None], make_till: MakeTill, cast: Cast
) -> None:
    small = make_till(open_shop, batch_sales_max=1)
    numbers = [small.sell([rice(cast)]) for _ in range(22)]
    assert not small.sync(timeout_s=4).settled  # after 20 batches the server asks to wait
    assert Batch.objects.count() == 20
    assert small.sender.problem is None

    own = {"serial": cast.token_device.serial, "token": cast.token}
    large = make_till(open_shop, file="large.sqlite3", batch_sales_max=1500, **own)
    with large.book.transaction():
        for _ in range(1100):
            large.sell([{"article_id": cast.oil.pk, "quantite": "0.001", "prix_unitaire": 1}])
    assert large.send_once() == 0
    assert large.send_once() == 550

    resume_posting()
    assert small.sync(timeout_s=60).settled
    assert recorded_numbers(cast.terminal) == numbers
    assert large.sync(timeout_s=120).settled  # or its posting would meet the tables being emptied


def test_a_sale_that_the_server_cannot_read_holds_back_no_other(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    fiscal: object = {}
    for _ in range(40):
        fiscal = {"imbriqué": fiscal}
    till = make_till(open_shop)
    numbers = [till.sell([rice(cast)], fiscal=fiscal if n == 2 else {}) for n in range(5)]
    while till.queue.has_something_to_send():
        till.send_once()

    assert [(sale.number, sale.code) for sale in till.pending() if sale.state == TO_CORRECT] == [
        (numbers[2], "json_invalide")
    ]
    assert sum(batch.sale_count for batch in Batch.objects.all()) == 4


def test_a_till_that_the_server_refuses_says_why_and_keeps_everything(
    open_shop: str, make_till: MakeTill, cast: Cast
) -> None:
    strangers = [
        ({"serial": "inconnu"}, "Terminal non trouvé"),
        ({"serial": cast.token_device.serial}, "Un jeton est requis"),
        ({"serial": cast.token_device.serial, "token": "faux"}, "Ce jeton n'est pas celui"),
    ]
    for number, (options, reason) in enumerate(strangers):
        till = make_till(open_shop, file=f"{number}.sqlite3", **options)
        till.sell([rice(cast)])
        report = till.sync(timeout_s=10)
        assert reason in report.problem
        assert [sale.state for sale in report.pending] == [WAITING]
    assert Batch.objects.count() == 0

    # The same file with the right token: nothing was lost by asking.
    till = make_till(open_shop, file="2.sqlite3", serial=cast.token_device.serial, token=cast.token)
    assert till.sync(timeout_s=60).settled
    assert len(recorded_numbers(cast.token_device.terminal)) == 1


def test_it_learns_the_limits_of_the_server(open_shop: str, make_till: MakeTill, cast: Cast) -> None:
    till = make_till(open_shop, batch_sales_max=5000)
    etat = till.etat()
    assert etat["terminal"] == {"id": cast.terminal.pk, "nom": "Terminal MAUI", "numero_serie": cast.device.serial}
    assert till.sender.batch_sales_max == etat["limites"]["ventes_par_lot"] == 1000


def test_a_till_of_the_old_kind_loses_nothing_in_answer_mode_complete(
    open_shop: str, resume_posting: Callable[[], None], cast: Cast
) -> None:
    till = LegacyTill(open_shop, cast.complete_device.serial, timeout_s=3)
    till.sell("FAC-1", article=cast.rice.pk)
    till.sell("FAC-2", article=cast.rice.pk)

    assert not till.synchronise()  # no 2xx while a sale has no outcome, however long it waits
    assert len(till.queue) == 2
    resume_posting()
    until = time.monotonic() + 60
    while not till.synchronise():
        assert time.monotonic() < until, till.message
        time.sleep(0.5)

    assert till.message == "Synchronisation réussie"
    assert till.believed_recorded == recorded_numbers(cast.complete_device.terminal) == ["FAC-1", "FAC-2"]


@pytest.mark.embedded
def test_the_command_sells_sends_and_reports(open_shop: str, running: Stack, cast: Cast, tmp_path: Path) -> None:
    def till(*arguments: str) -> str:
        return running.run_once("till", *arguments, "--url", open_shop, "--file", str(tmp_path / "commande.sqlite3"))

    sold = till("sell", "--article", str(cast.rice.pk), "--quantity", "2", "--price", "25000")
    number = sold.split()[0]
    assert "1 vente(s) dans la caisse" in sold
    assert f"{number} : à envoyer" in till("list")
    watched = till("watch", "--timeout", "60")
    assert f"{number} : enregistrée (FAC-BTQ-009-" in watched
    assert "1 vente(s) enregistrée(s), 0 à corriger en boutique" in watched
    assert f"{number} : created, purger FAC-BTQ-009-" in till("status", number)
    assert '"mode_reponse": "recu"' in till("etat")
    loaded = running.run_once("till", "load", "--url", open_shop, "--sales", "5", "--articles", str(cast.oil.pk))
    assert "50 vente(s) : 50 enregistrée(s)" in loaded


@pytest.mark.embedded
@pytest.mark.parametrize("token", ["-x", "--help"])
def test_the_command_takes_any_token_from_the_environment(
    open_shop: str, running: Stack, cast: Cast, tmp_path: Path, token: str
) -> None:
    device = cast.token_device
    device.token_hash = hash_token(token)
    device.save(update_fields=["token_hash"])
    where = ("--url", open_shop, "--serial", device.serial, "--file", str(tmp_path / "commande.sqlite3"))
    assert "mode_reponse" in running.run_once("till", "etat", *where, environment={"TILL_TOKEN": token})
    with pytest.raises(ProcessFailed, match=r"401|jeton"):
        running.run_once("till", "etat", *where, environment={"TILL_TOKEN": f"{token}x"})
    for option in ([f"--token={token}"], ["--token", token], ["--token", "x"]):
        with pytest.raises(ProcessFailed, match=r"ended with 2(?s:.*)TILL_TOKEN=…"):
            running.run_once("till", "etat", *where, *option)
