"""The till's own file: what it must contain before, during and after a post. No server of ours is needed here."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import Message
from email.utils import format_datetime
from pathlib import Path

import pytest

from backend.example_till import Till
from backend.example_till.queue import TO_CORRECT, TO_SEND, WAITING, NumberTaken
from backend.example_till.wire import Answer, Pace, Unreachable, most_careful

NOBODY = "http://127.0.0.1:9"
LINE = {"article_id": 15, "quantite": 2, "prix_unitaire": Decimal("25000.00")}

SELL_FOR_EVER = """
import sys
from backend.example_till import Till
till = Till(sys.argv[1], "http://127.0.0.1:9", "serial")
while True:
    print(till.sell([{"article_id": 15, "quantite": 1, "prix_unitaire": 1000}]), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "caisse.sqlite3"


@contextmanager
def stranger(answer: bytes):
    """Something between till and server that answers every request with these bytes: a login page, a full proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(1024 * 1024)
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def stored_batches(path: Path) -> list[tuple[str, bytes]]:
    """Return them as another program sees them: through a connection of its own."""
    with closing(sqlite3.connect(path)) as file:
        return file.execute("SELECT key, body FROM batches ORDER BY id").fetchall()


def test_the_bytes_and_their_key_are_on_disk_before_the_first_post(path: Path) -> None:
    posted = []

    def look_and_lose(method: str, call: str, headers: dict, body: bytes) -> Answer:
        posted.append((headers["Idempotency-Key"], body, stored_batches(path)))
        raise Unreachable("cable pulled")

    with Till(path, NOBODY, "serial") as till:
        till.sell([LINE])
        till.calls.transport = look_and_lose
        assert till.send_once() == 0

    ((key, body, on_disk),) = posted
    assert on_disk == [(key, body)]


def test_after_a_lost_answer_the_same_bytes_go_out_under_the_same_key(path: Path) -> None:
    posted = []

    def lose(method: str, call: str, headers: dict, body: bytes) -> Answer:
        posted.append((headers["Idempotency-Key"], body))
        raise Unreachable("cable pulled")

    for _ in range(2):  # the second time after a restart, and with a new sale waiting behind
        with Till(path, NOBODY, "serial") as till:
            till.sell([LINE])
            till.calls.transport = lose
            till.send_once()

    assert posted[0] == posted[1]
    assert len(json.loads(posted[0][1])) == 1


def test_a_till_killed_while_it_sells_loses_no_sale_and_uses_no_number_twice(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SELL_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True) as child:
        promised = [child.stdout.readline().strip() for _ in range(20)]
        child.send_signal(signal.SIGKILL)
        promised += child.stdout.read().split()

    with Till(path, NOBODY, "serial") as till:
        till.sell([LINE])
        sales = till.pending()

    assert set(promised) <= {sale.number for sale in sales}
    assert [json.loads(sale.content)["sequence"] for sale in sales] == list(range(1, len(sales) + 1))
    assert sales[-1].number.endswith(f"-{len(sales):03d}")


def test_two_processes_on_one_file_never_share_a_number(path: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", SELL_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    numbers = [child.stdout.readline() for _ in range(20) for child in children]
    for child in children:
        child.kill()
        child.communicate()

    assert len(set(numbers)) == 40


def test_amounts_keep_every_digit_and_travel_as_text(path: Path) -> None:
    line = {"article_id": 15, "quantite": Decimal("0.125"), "prix_unitaire": Decimal("1E+3"), "remise": "0.005"}
    with Till(path, NOBODY, "serial") as till:
        till.sell([line], remise=Decimal("0.10"))
        sale = json.loads(till.pending()[0].content)

    assert sale["lignes"] == [{"article_id": 15, "quantite": "0.125", "prix_unitaire": "1000", "remise": "0.005"}]
    assert sale["montant_total"] == "124.89"  # as the server reckons: 125 - 0.01 - 0.10
    assert datetime.fromisoformat(sale["date_vente"]).utcoffset() is not None


def test_it_refuses_a_float_and_counts_nothing_for_it(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        with pytest.raises(TypeError, match="virgule flottante"):
            till.sell([LINE | {"prix_unitaire": 0.1}])
        till.sell([LINE])
        assert json.loads(till.pending()[0].content)["sequence"] == 1


def test_half_an_emoji_in_a_name_does_not_stop_the_sale(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        till.sell([LINE], client={"nom": "Ana \ud83d"})
        assert json.loads(till.pending()[0].content)["client"] == {"nom": "Ana ?"}


def test_a_number_is_used_once(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        till.add({"numero_facture": "FAC-1", "lignes": []})
        with pytest.raises(NumberTaken):
            till.add({"numero_facture": "FAC-1", "lignes": []})
        till.add({"numero_facture": "fac-1", "lignes": []})


def test_the_file_itself_refuses_to_edit_or_to_lose_a_sale(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        till.sell([LINE])
        till.queue.batch_to_send(sales_max=10)
    with closing(sqlite3.connect(path)) as file:
        for statement, reason in [
            ("UPDATE queue SET content = '{}'", "ne se modifie pas"),
            ("UPDATE batches SET body = x'00'", "ne se modifie pas"),
            ("DELETE FROM queue", "que pour le journal"),
        ]:
            with pytest.raises(sqlite3.IntegrityError, match=reason):
                file.execute(statement)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\nConnection: close\r\n\r\n<h1>Wi-Fi de l'hotel</h1>"[:-1],
        b"HTTP/1.1 302 Found\r\nLocation: http://login/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\nConnection: close\r\n\r\n{\"recu\": \"cut short",
        b"HTTP/1.1 201 Created\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"success\": 1} ",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot found",
        b"garbage",
        b"",
    ],
    ids=["login-page", "redirect", "cut-short", "success-without-receipt", "strange-404", "no-http", "silence"],
)  # fmt: skip
def test_an_answer_without_a_receipt_changes_nothing(path: Path, answer: bytes) -> None:
    with stranger(answer) as url, Till(path, url, "serial") as till:
        till.sell([LINE])
        assert till.send_once() == 0
        (before,) = stored_batches(path)
        assert [sale.state for sale in till.pending()] == [WAITING]
        assert till.sender.problem is None
        till.send_once()
        assert stored_batches(path) == [before]


def test_a_proxy_that_finds_everything_too_large_gets_sale_by_sale(path: Path) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with stranger(refusal) as url, Till(path, url, "serial") as till:
        for _ in range(5):
            till.sell([LINE])
        report = till.sync(timeout_s=20)

    assert [sale.state for sale in report.pending] == [TO_CORRECT] * 5
    assert report.settled


def test_the_halves_of_a_refused_batch_keep_the_order(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        numbers = [till.sell([LINE]) for _ in range(6)]
        sent = []
        till.queue.halve(till.queue.batch_to_send(sales_max=6), code="", sentence="")
        till.queue.halve(till.queue.batch_to_send(sales_max=6), code="", sentence="")
        while batch := till.queue.batch_to_send(sales_max=6):
            sent += till.queue.numbers_waiting(batch)
            till.queue.accept(batch, receipt="r")

    assert sent == numbers


def test_other_bytes_never_go_out_under_a_used_key(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        for _ in range(4):
            till.sell([LINE])
        keys = {till.queue.batch_to_send(sales_max=4).key}
        till.queue.halve(till.queue.batch_to_send(sales_max=4), code="", sentence="")
        keys |= {key for key, _ in stored_batches(path)}
        till.queue.rekey(till.queue.batch_to_send(sales_max=4))
        keys |= {key for key, _ in stored_batches(path)}

    assert len(keys) == 4


def test_a_sale_is_deleted_only_after_purger(path: Path) -> None:
    with Till(path, NOBODY, "serial") as till:
        numbers = [till.sell([LINE]) for _ in range(6)]
        batch = till.queue.batch_to_send(sales_max=5)
        till.queue.accept(batch, receipt="r")
        actions = ["purger", "garder", "corriger", "renvoyer", "a word of next year", "purger"]
        entries = [
            {"numero_facture": number, "action": action, "status": "created"}
            for number, action in zip(numbers, actions, strict=True)
        ]
        till.queue.settle(entries, batch=batch)
        states = {sale.number: sale.state for sale in till.pending()}

    # The sixth was never sent: what the server has under its number is another sale.
    assert states == dict(zip(numbers[1:], ["garder", "corriger", TO_SEND, WAITING, TO_SEND], strict=True))


def test_a_number_known_twice_is_purged_only_if_both_say_so(path: Path) -> None:
    recorded = {"numero_facture": "FAC-1", "action": "purger"}
    conflict = {"numero_facture": "FAC-1", "action": "garder"}
    assert most_careful([recorded, conflict]) == most_careful([conflict, recorded]) == [conflict]
    assert most_careful([recorded, recorded]) == [recorded]


def test_it_waits_as_long_as_the_server_asks_and_longer_each_time_if_nobody_answers() -> None:
    def headers(value: str) -> Message:
        message = Message()
        message["Retry-After"] = value
        return message

    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    assert Answer(503, headers("7"), b"").retry_after_s == 7
    assert 50 < Answer(503, headers(in_a_minute), b"").retry_after_s <= 60
    assert Answer(503, headers("soon"), b"").retry_after_s is None

    pace = Pace(1.0, 60.0)
    pace.wait(7)
    assert 6.9 < pace.wait_s <= 7 * 1.25
    waits = []
    for _ in range(9):
        pace.wait(None)
        waits.append(pace.wait_s)
    assert waits[:4] == sorted(waits[:4])
    assert 59 < waits[-1] <= 75
