"""Runs every example of docs/terminals.md: makes its calls and compares its answers with the real ones.

A comment above each example names the function here that prepares it: `<!-- essai: NAME -->`.
"""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse

from backend.db.change_cursors import ChangeCursor
from backend.demo.loader import SERIAL, load_demo
from backend.inventory.models import Article, MovementType
from backend.inventory.stock import move_stock
from backend.sales.models import Sale, SaleOutcome
from backend.sales.repair.retry import retry_outcome
from backend.shops.devices import issue_token, register_device
from backend.shops.enrolment import create_enrolment_code
from backend.shops.models import Device
from backend.testing import make_terminal
from tests.tills import Till, line, sale

PAGE = Path(__file__).parents[2] / "docs" / "terminals.md"
BASE = "http://127.0.0.1:8000"
NEW_SERIAL = "sunmi-v2-000417"
# The values of these keys are the same for every shop: an example must show exactly the real ones.
FIXED = {
    "status", "action", "code", "statut", "resultat", "type_mouvement", "mode", "devise", "niveau", "marque", "nom",
    "erreur", "chemin", "mode_reponse", "message", "montant_caisse", "montant_serveur", "attendu", "compte", "ecart",
}  # fmt: skip


@dataclass
class Example:
    """A fenced block with a call to make or a batch to send, and the answer that follows it: that of the call, or what
    the receipt says of each sale of the batch."""

    line: int
    language: str
    text: str
    world: str | None
    answer: "Example | None" = field(default=None, repr=False)

    @property
    def is_call(self) -> bool:
        return self.language == "sh" and self.text.startswith("curl")

    @property
    def takes_answer(self) -> bool:
        return self.is_call or (self.language == "json" and self.answer is None)

    @property
    def documented(self) -> Any:
        """Return the JSON of an answer, without the status line and headers of one shown as HTTP."""
        body = self.text.partition("\n\n")[2] if self.language == "http" else self.text
        return json.loads(body)

    @property
    def status(self) -> int:
        return int(self.text.split()[1]) if self.language == "http" else 200


def examples() -> list[Example]:
    found: list[Example] = []
    pattern = re.compile(r"(?:<!-- essai: (\w+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = PAGE.read_text(encoding="utf-8")
    for match in pattern.finditer(text):
        block = Example(text.count("\n", 0, match.start()) + 1, match[2], match[3].strip(), match[1])
        if block.language in ("json", "http") and block.world is None and found and found[-1].takes_answer:
            found[-1].answer = block
        elif block.language != "mermaid":
            found.append(block)
    return found


@dataclass
class World:
    """The demo shop and its old till. `known` maps an example's placeholders to the values of this run."""

    till: Till
    rice: Article
    known: dict[str, str] = field(default_factory=dict)

    def sold(self, number: str, *, quantity: object = 2, price: object = 25000, **fields: Any) -> dict[str, Any]:
        return sale(number, line(self.rice, quantity=quantity, price=price), **fields)

    def filled_in(self, text: str) -> str:
        for shown, real in self.known.items():
            text = text.replace(shown, real)
        return text


@pytest.fixture
def world(db: None) -> World:
    load_demo(password="un-mot-de-passe-de-test", token="x" * 43)
    device = Device.objects.select_related("terminal__shop").get(serial=SERIAL)
    return World(Till(device), Article.objects.get(pk=15))


def rien(world: World) -> None:
    """Needs only the sale that was made."""
    world.till.settle(world.sold("FAC-20241104-001"))


def recu_en_cours(world: World) -> None:
    world.till.settle(sale("FAC-20241103-999", line(Article.objects.get(pk=18)), sequence=1839))
    sales = [world.sold("FAC-20241104-001"), world.sold("FAC-TEST-004", quantity=1000), world.sold("FAC-20241104-009")]
    sales[0]["sequence"], sales[1]["sequence"], sales[2]["sequence"] = 1842, 1843, 1844
    world.known["0d1f…"] = world.till.hand_over(*sales)
    world.till.post_next(2)


def reparee(world: World) -> None:
    receipt = world.till.hand_over(world.sold("FAC-20241104-001"), world.sold("FAC-TEST-004", quantity=1000))
    world.till.post_all()
    move_stock(unit=world.rice.base_unit, quantity=Decimal(2000), movement_type=MovementType.ENTRY, author="demo")
    outcome = Sale.objects.get(number="FAC-20241104-001")
    retry_outcome(batch_id=outcome.batch_id, position=2, author="demo", reason="entrée de marchandise oubliée")
    # The list has all changes; the example shows only the one that a person made.
    world.known["/changements"] = f"/changements?depuis={_cursor_before(world, receipt)}"


def _cursor_before(world: World, receipt: str) -> str:
    """Return a cursor between the two outcomes of a receipt; the repaired one is the later."""
    first, _second = SaleOutcome.objects.filter(batch__receipt=receipt).order_by("position")
    return ChangeCursor(first.at, (first.batch_id, first.position)).as_text()


def journee(world: World) -> None:
    day = "2024-11-04T10:00:00+01:00"
    world.till.settle(
        world.sold("FAC-20241104-001", quantity=1, price=49000, date_vente=day, caissier={"code": "C2"}),
        world.sold("FAC-TEST-004", quantity=1000, date_vente=day, caissier={"code": "C2"}),
    )


def code(world: World) -> None:
    world.till.settle(world.sold("FAC-20241104-012", sequence=1857))
    made = create_enrolment_code(terminal=world.till.device.terminal, replaces=world.till.device)
    world.known["K7Q49XTD"] = made.text


def jeton(world: World) -> None:
    device = register_device(terminal=make_terminal(world.till.device.terminal.shop), serial=NEW_SERIAL)
    world.known["JETON"] = issue_token(device)


def suites(world: World) -> None:
    world.till.settle(world.sold("FAC-20241104-001"), world.sold("FAC-20241104-002"))
    world.till.settle(world.sold("FAC-20241030-017", paye=False))
    second = Sale.objects.get(number="FAC-20241104-002")
    world.known["FAC-BTQ-009-202411-000002"] = second.registration_number


def argent_des_ventes(world: World) -> None:
    """Needs nothing: all is sold in the example."""


def argent_des_suites(world: World) -> None:
    world.till.settle(
        world.sold("FAC-20241104-011", quantity=1, paiements=[DOLLARS], rendu=[{"mode": "CASH", "montant": 3500}]),
        world.sold("FAC-20241104-012", quantity=1, paiements=TWO_MODES),
        world.sold("FAC-20241104-013", paye=False, paiements=[{"mode": "CASH", "montant": 30000}]),
        world.sold("FAC-20241104-014", quantity=1, paye=False),
    )


def argent_suppose(world: World) -> None:
    world.till.settle(world.sold("FAC-20241104-012", quantity=1, paiements=TWO_MODES))


def argent_du_jour(world: World) -> None:
    of_day = {"date_vente": "2024-11-04T10:00:00+01:00", "caissier": {"code": "C2"}, "quantity": 1}
    world.till.settle(
        world.sold("FAC-20241104-010", **of_day),
        world.sold("FAC-20241104-011", **of_day, paiements=[DOLLARS], rendu=[{"mode": "CASH", "montant": 3500}]),
    )


DOLLARS = {"mode": "CASH", "devise": "USD", "montant": 10, "taux": 2850}
TWO_MODES = [{"mode": "CASH", "montant": 20000}, {"mode": "MOBILE_MONEY", "montant": 5000}]
WORLDS: dict[str, Callable[[World], None]] = {
    made.__name__: made
    for made in (
        rien, recu_en_cours, reparee, journee, code, jeton, suites,
        argent_des_ventes, argent_des_suites, argent_suppose, argent_du_jour,
    )
}  # fmt: skip
NO_DATE = "sans_heure"  # documented batches have no dates, which would be too old by now
RECORDED = {"vente": "created", "annulation": "voided", "retour": "returned", "paiement": "paid"}
CALLS = [one for one in examples() if one.is_call]
BATCHES = [one for one in examples() if one.language == "json"]


def test_every_example_is_run_by_a_test() -> None:
    """The till's own commands are run by tests/acceptance/test_documented_till.py."""
    unrun = [one for one in examples() if not one.is_call and one.language != "json"]
    assert {one.language for one in unrun} == {"sh", "python"}
    assert all("manage.py till" in one.text for one in unrun if one.language == "sh")
    assert [one.line for one in (*CALLS, *BATCHES) if one.world not in WORLDS] == []
    assert {one.world for one in (*CALLS, *BATCHES)} == set(WORLDS)
    assert len(CALLS) >= 11


@pytest.mark.parametrize("example", CALLS, ids=lambda one: f"line-{one.line}")
def test_a_documented_call_is_answered_as_documented(example: Example, world: World) -> None:
    WORLDS[example.world](world)
    answer = call(world, example.text)
    assert example.answer is not None
    assert answer.status_code == example.answer.status, answer.content
    assert_like(example.answer.documented, answer.json(), where="$")


@pytest.mark.parametrize("example", BATCHES, ids=lambda one: f"line-{one.line}")
def test_a_documented_batch_is_recorded(example: Example, world: World) -> None:
    WORLDS[example.world](world)
    receipt = world.till.settle(*json.loads(world.filled_in(example.text)))
    assert receipt["details"]["erreurs"] == []
    sent, recorded = json.loads(example.text), receipt["details"]["creees"]
    assert [one["status"] for one in recorded] == [RECORDED[one.get("type", "vente")] for one in sent]
    said = example.answer.documented if example.answer else [{} for _ in recorded]
    for one in recorded:
        one["avertissements"] = [code for code in one["avertissements"] if code != NO_DATE]
    assert [{key: one[key] for key in documented} for documented, one in zip(said, recorded, strict=True)] == said


def call(world: World, command: str) -> HttpResponse:
    """Make the call of a `curl` line through the test client."""
    words = iter(shlex.split(world.filled_in(command)))
    headers: dict[str, str] = {}
    method, address, body = "GET", "", b""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value.replace("…", "x")
        elif word == "-d":
            method, body = "POST", next(words).encode()
        elif word == "-X":
            method = next(words)
        elif word.startswith(BASE):
            address = word.removeprefix(BASE)
    caller = Till(world.till.device)
    caller.headers = headers
    content_type = headers.pop("Content-Type", "application/json")
    return caller.call(method, address, body, content_type=content_type)


def assert_like(documented: Any, real: Any, *, where: str, name: str = "") -> None:
    """Assert that an answer has the documented keys and types, and the documented values of fixed keys."""
    if isinstance(documented, dict):
        assert isinstance(real, dict), where
        assert documented.keys() == real.keys(), where
        for key, value in documented.items():
            assert_like(value, real[key], where=f"{where}.{key}", name=key)
    elif isinstance(documented, list):
        assert isinstance(real, list), where
        assert len(real) >= len(documented), f"{where}: {real}"
        for place, value in enumerate(documented):
            assert_like(value, real[place], where=f"{where}[{place}]", name=name)
    elif isinstance(documented, str) and "…" not in documented and name in FIXED:
        assert documented == real, where
    else:
        assert _kind(documented) == _kind(real), f"{where}: {real!r}"


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
