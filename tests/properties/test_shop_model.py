"""Random days of a shop, played against the real services and the model: they agree on everything that counts.

A short, repeatable run goes with every test run. PROPERTY_EXAMPLES=1000 plays so many other days, each of them longer.
"""

import json
import logging
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.inventory import catalogue
from backend.inventory.carton_opening import open_units
from backend.inventory.errors import InventoryRefused
from backend.inventory.models import ArticleUnit, MovementType, StockMovement
from backend.inventory.stock import move_stock
from backend.sales.days.month_closing import MonthAlreadyClosed, close_month
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch, Lane, Sale, SaleLine, SaleOutcome
from backend.sales.money.owed import owed_for
from backend.sales.posting.runner import post_slice
from backend.sales.repair.retry import retry_outcome
from backend.shops.models import Device
from backend.shops.models import Shop as RealShop
from backend.testing import add_unit, make_article, make_device, make_shop, make_terminal
from tests.properties import model

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
KINSHASA = ZoneInfo("Africa/Kinshasa")
WAITING_MAX = 12

# So few numbers that they collide: resends, conflicts, followers that come first.
SALE_NUMBERS = [f"FAC-{at}" for at in range(1, 13)]
FOLLOWER_NUMBERS = [f"SUITE-{at}" for at in range(1, 16)]
QUANTITIES = ["1", "2", "3", "1.5", "0.5", "0.125", "0.333", "2.0005", "7", "40"]
PRICES = ["1000", "0.01", "33.33", "12.345", "0.1", "250.5"]
AMOUNTS = ["1", "0.01", "100", "333.33", "1000", "12.345"]
# Days before the till's batch arrives: today, last month or the one before, and one that is not plausible.
DAYS_BEFORE = [0, 35, 60]

any_index = st.integers(min_value=0, max_value=10_000)


def numbers_of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


# Mostly a till names its own shop's units rightly.
NAMED_BY = ["unit"] * 14 + ["article"] * 10 + ["both"] * 3 + ["mixed", "stranger", "nobody"]
sent_lines = st.lists(
    st.fixed_dictionaries(
        {
            "at": any_index,
            "by": st.sampled_from(NAMED_BY),
            "quantite": numbers_of(*QUANTITIES),
            "prix_unitaire": numbers_of(*PRICES),
        },
        optional={"remise": numbers_of("0", "0.5")},
    ),
    min_size=1,
    max_size=3,
)
payments = st.lists(
    st.one_of(
        st.fixed_dictionaries({"montant": numbers_of(*AMOUNTS)}),
        st.fixed_dictionaries(
            {"montant": numbers_of(*AMOUNTS), "devise": st.just("USD"), "taux": numbers_of("2850", "0.333")}
        ),
    ),
    max_size=2,
)
sales = st.fixed_dictionaries(
    {"numero_facture": numbers_of(*SALE_NUMBERS), "lignes": sent_lines},
    optional={
        "days_before": st.sampled_from(DAYS_BEFORE),
        "devise": numbers_of(*["CDF", "USD"] * 6, "EUR"),
        "remise": numbers_of("0.05", "0.005"),
        "paye": st.booleans(),
        "paiements": payments,
    },
)
# Often the same line several times, each within the limit and together beyond it.
returned_lines = st.lists(
    st.fixed_dictionaries(
        {"ligne": st.sampled_from([1, 1, 1, 1, 2, 3]), "quantite": numbers_of("0.125", "0.125", "0.333", "0.5", "1")}
    ),
    min_size=1,
    max_size=3,
)


def following(origins: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A document that follows one of `origins`."""

    def follower(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {"type": st.just(kind), "numero_facture": numbers_of(*FOLLOWER_NUMBERS), "origine": origins, **fields},
            optional={"days_before": st.sampled_from(DAYS_BEFORE)},
        )

    kinds = {
        "annulation": follower("annulation"),
        "retour": follower("retour", lignes=returned_lines),
        "paiement": follower("paiement", montant=numbers_of(*AMOUNTS)),
    }
    # Nothing can follow a sale after its annulation, so these are fewer.
    return st.sampled_from(["retour"] * 3 + ["paiement"] * 2 + ["annulation"]).flatmap(kinds.get)


# Of what was just sold, for most: an annulation after a retour of the same sale is what may go wrong.
recent_origin = st.fixed_dictionaries({"sale": st.one_of(st.sampled_from([0, 1, 2, 3]), any_index)})
# By a number that may come later, or be no sale's; or by what stands in the register.
any_origin = st.one_of(
    st.fixed_dictionaries({"numero_facture": numbers_of(*SALE_NUMBERS, *SALE_NUMBERS, *FOLLOWER_NUMBERS)}),
    st.fixed_dictionaries({"document": any_index}),
)
whatever = st.sampled_from(["sale"] * 7 + ["follower"] * 6 + ["gift"])
anything = whatever.flatmap(
    {
        "sale": sales,
        "follower": following(any_origin),
        "gift": sales.map(lambda sale: sale | {"type": "cadeau"}),
    }.get
)


class ShopDays(RuleBasedStateMachine):
    """Alice's shop with two tills, one of them held by two devices after a repair, and Charlie's with one."""

    def __init__(self) -> None:
        super().__init__()
        self.shops: list[model.Shop] = []
        self.real_shops: dict[str, RealShop] = {}
        self.devices: list[Device] = []
        self.sent: list[tuple[Device, list[model.Wire]]] = []
        self.seen: dict[int, tuple[int, list[str]]] = {}
        self.today = datetime.now(KINSHASA).date()
        self.touched: set[model.Shop] = set()

    @initialize(refuses=st.booleans())
    def open_shops(self, refuses: bool) -> None:
        for policy in (refuses, not refuses):
            real = make_shop(stock_policy="refuse" if policy else "accept")
            shop = model.Shop(code=real.code, currency="CDF", currencies={"CDF", "USD"}, refuses=policy)
            self.shops.append(shop)
            self.real_shops[shop.code] = real
            self._add_article(shop, levels={"PIECE": 10, "CARTON": 2})
        self._add_article(self.shops[0], levels={"PIECE": 5})
        for shop, held_by in ((self.shops[0], 2), (self.shops[0], 1), (self.shops[1], 1)):
            terminal = make_terminal(self.real_shops[shop.code])
            shop.tills[terminal.pk] = model.Till(terminal.pk)
            self.devices += [make_device(terminal) for _ in range(held_by)]

    def _add_article(self, shop: model.Shop, *, levels: dict[str, int]) -> None:
        real = make_article(self.real_shops[shop.code], stock=levels["PIECE"])
        article = model.Article(real.pk, str(real.uuid), real.name)
        shop.articles[article.id] = article
        if "CARTON" in levels:
            add_unit(real, level="CARTON", stock=levels["CARTON"], mark="CTN", holds=12)
        for one in ArticleUnit.objects.filter(article=real).order_by("pk"):
            unit = model.Unit(str(one.uuid), article, one.level, one.mark, Decimal(levels[one.level]), one.holds)
            shop.units[unit.uuid] = article.units[unit.level] = unit
        article.base = article.units["PIECE"]

    # What tills do.

    @rule(at=any_index, wished=st.lists(sales, min_size=1, max_size=7))
    def sell(self, at: int, wished: list[dict[str, Any]]) -> None:
        """Hand over sales that are posted at once."""
        device = self._pick(self.devices, at)
        self._hand_over(device, wished)
        self._post_all(self._shop_of(device), device.terminal_id)

    @precondition(lambda self: any(self._sales_of(till) for till in self._tills()))
    @rule(at=any_index, wished=st.lists(following(recent_origin), min_size=1, max_size=9))
    def follow(self, at: int, wished: list[dict[str, Any]]) -> None:
        """Hand over voids, returns and payments of a till's sales, posted at once."""
        till = self._pick([till for till in self._tills() if self._sales_of(till)], at)
        device = self._pick(self._devices_of(till.id), at)
        self._hand_over(device, wished)
        self._post_all(self._shop_of(device), till.id)

    @rule(at=any_index, wished=st.lists(anything, min_size=1, max_size=9), count=st.integers(min_value=0, max_value=9))
    def hand_over(self, at: int, wished: list[dict[str, Any]], count: int) -> None:
        """Hand over anything that a till may send, in any order, and post some of it or none."""
        device = self._pick(self.devices, at)
        self._hand_over(device, wished)
        self._post_some(self._shop_of(device), device.terminal_id, count)

    @precondition(lambda self: self.sent)
    @rule(at=any_index, by=any_index)
    def send_a_batch_again(self, at: int, by: int) -> None:
        """Send the same bytes from the same till, perhaps from the device that replaced the first."""
        device, batch = self._pick(self.sent, at)
        self._send(self._pick(self._devices_of(device.terminal_id), by), batch)

    @precondition(lambda self: self.sent)
    @rule(
        at=any_index,
        which=any_index,
        by=any_index,
        form=st.sampled_from(["same", "extra_fields", "by_unit", "by_article"]),
    )
    def send_a_sale_again(self, at: int, which: int, by: int, form: str) -> None:
        device, batch = self._pick(self.sent, at)
        sale = self._pick(batch, which)
        self._send(
            self._pick(self._devices_of(device.terminal_id), by), [self._rewrite(self._shop_of(device), sale, form)]
        )

    @precondition(lambda self: any(till.unsettled for till in self._tills()))
    @rule(at=any_index, count=st.integers(min_value=1, max_value=6))
    def post(self, at: int, count: int) -> None:
        """Post a few sales of a till and stop, like a poster whose slice is over."""
        shop, till = self._pick(
            [(shop, till) for shop in self.shops for till in shop.tills.values() if till.unsettled], at
        )
        self._post_some(shop, till.id, count)

    @precondition(lambda self: any(batch.outcomes for till in self._tills() for batch in till.batches))
    @rule(at=any_index, which=any_index)
    def try_again(self, at: int, which: int) -> None:
        tried = [
            (shop, till, batch)
            for shop in self.shops
            for till in shop.tills.values()
            for batch in till.batches
            if batch.outcomes
        ]
        shop, till, batch = self._pick(tried, at)
        position = which % len(batch.outcomes) + 1
        attempt = retry_outcome(batch_id=batch.id, position=position, author="Alice", reason="essai")
        assert not attempt.was_prevented
        shop.try_again(till, batch, position)
        self.touched.add(shop)

    # What people do.

    @rule(
        at=any_index,
        what=st.sampled_from(["entry", "exit", "more", "less", "open"]),
        quantity=numbers_of("1", "2", "2.5", "10", "100"),
    )
    def work_on_stock(self, at: int, what: str, quantity: str) -> None:
        shop, unit = self._pick_unit(at)
        real = ArticleUnit.objects.get(uuid=unit.uuid)
        if what == "open":
            count = int(Decimal(quantity))
            self._both(lambda: open_units(unit=real, count=count, author="a"), lambda: shop.open(unit, count))
            return
        types = {"entry": MovementType.ENTRY, "exit": MovementType.EXIT}
        movement_type = types.get(what, MovementType.ADJUSTMENT)
        signed = Decimal(quantity) * (-1 if what in ("exit", "less") else 1)
        self._both(
            lambda: move_stock(unit=real, quantity=signed, movement_type=movement_type, author="a", comment="compté"),
            lambda: shop.move(unit, signed, movement_type.value),
        )

    @rule(
        at=any_index,
        what=st.sampled_from(["mark", "article", "level"]),
        name=st.text("ABC", min_size=1, max_size=3),
        is_active=st.booleans(),
        base=any_index,
    )
    def change_the_catalogue(self, at: int, what: str, name: str, is_active: bool, base: int) -> None:
        """A mark; an article's name, code, whether it is sold, and which unit old tills mean by it; a new level."""
        shop, unit = self._pick_unit(at)
        article, real = unit.article, self.real_shops[shop.code]
        if what == "mark":
            catalogue.change_unit(shop=real, unit_uuid=uuid.UUID(unit.uuid), changes={"mark": name})
            unit.mark = name
        elif what == "article":
            new_base = self._pick(list(article.units.values()), base)
            changes = {"name": name, "code": f"{name}-{article.id}", "is_active": is_active}
            changes["base_unit"] = uuid.UUID(new_base.uuid)
            catalogue.change_article(shop=real, article_uuid=uuid.UUID(article.uuid), changes=changes)
            article.name, article.base = name, new_base
        elif "MILLIER" not in article.units:
            self._add_level(real, article)

    def _add_level(self, real: RealShop, article: model.Article) -> None:
        """What the carton holds was told in pieces, and is unknown from now on; old tills sell what they sold."""
        level = catalogue.NewUnit(level="MILLIER", price=Decimal(1))
        added = catalogue.add_unit(shop=real, article_uuid=uuid.UUID(article.uuid), unit=level)
        unit = model.Unit(str(added.uuid), article, "MILLIER", "")
        self._shop_named(real.code).units[unit.uuid] = article.units["MILLIER"] = unit
        if "CARTON" in article.units:
            article.units["CARTON"].holds = None

    @precondition(lambda self: self.sent)
    @rule(at=any_index, days=st.sampled_from(DAYS_BEFORE[1:]))
    def close_a_month(self, at: int, days: int) -> None:
        shop = self._pick(self.shops, at)
        arrived = self._arrived(Batch.objects.latest("pk"))
        month = arrived - timedelta(days=days)
        try:
            close_month(shop=self.real_shops[shop.code], year=month.year, month=month.month, author="Alice")
        except MonthAlreadyClosed:
            assert f"{month:%Y%m}" in shop.closed_months
        shop.closed_months.add(f"{month:%Y%m}")
        self.touched.add(shop)

    # Where they must agree.

    @invariant()
    def they_agree(self) -> None:
        """Compare after each step, in the shop that it changed; at the end of the day in both."""
        for shop in self.touched:
            self._agree_on_stock(shop)
            self._agree_on_outcomes(shop)
            self._agree_on_documents(shop)
        self.touched.clear()

    def _agree_on_stock(self, shop: model.Shop) -> None:
        real = self.real_shops[shop.code]
        stocks = {str(one): stock for one, stock in ArticleUnit.objects.filter(shop=real).values_list("uuid", "stock")}
        assert stocks == {unit.uuid: unit.stock for unit in shop.units.values()}
        chain: dict[str, Decimal] = {}
        movements = StockMovement.objects.filter(shop=real).order_by("pk")
        for unit, before, moved, after in movements.values_list(
            "unit__uuid", "stock_before", "quantity", "stock_after"
        ):
            assert (chain.get(str(unit), 0), before + moved) == (before, after)
            chain[str(unit)] = after
        assert {unit: chain.get(unit, 0) for unit in stocks} == stocks

    def _agree_on_outcomes(self, shop: model.Shop) -> None:
        outcomes = SaleOutcome.objects.filter(shop=self.real_shops[shop.code]).order_by("batch_id", "position")
        real: dict[int, list[tuple[str, str, str | None]]] = {
            batch.id: [] for till in shop.tills.values() for batch in till.batches
        }
        rows = outcomes.values_list("batch_id", "position", "status", "code", "document__registration_number")
        for batch_id, position, *outcome in rows:
            real[batch_id].append(tuple(outcome))
            assert len(real[batch_id]) == position
        expected = {
            batch.id: [(one.status, one.code, one.document and one.document.registered) for one in batch.outcomes]
            for till in shop.tills.values()
            for batch in till.batches
        }
        assert real == expected
        for row in Batch.objects.filter(shop=self.real_shops[shop.code]):
            self._agree_on_counts(row, [status for status, *_ in expected[row.pk]])
        waiting = {
            till.id: sum(one.status == "deferred" for batch in till.batches for one in batch.outcomes)
            for till in shop.tills.values()
        }
        lanes = Lane.objects.filter(terminal_id__in=shop.tills).values_list("terminal_id", "waiting_documents")
        assert dict(lanes) == {lane: waiting[lane] for lane, _ in lanes}

    def _agree_on_counts(self, row: Batch, statuses: list[str]) -> None:
        good = sum(status in model.RECORDED_AS.values() for status in statuses)
        counts = (row.next_position - 1, row.created_count, row.error_count, row.duplicate_count)
        assert counts == (len(statuses), good, len(statuses) - good, statuses.count("duplicate"))
        assert (row.settled_at is not None) == (len(statuses) == row.sale_count)
        # What a till has seen under a version never changes under it.
        before = self.seen.get(row.pk)
        if before and before[1] != statuses:
            assert row.version > before[0]
        self.seen[row.pk] = (row.version, statuses)

    def _agree_on_documents(self, shop: model.Shop) -> None:
        real = {}
        documents = list(Sale.objects.filter(shop=self.real_shops[shop.code]))
        lines: dict[int, list[tuple]] = {document.pk: [] for document in documents}
        rows = SaleLine.objects.filter(document__in=documents).order_by("document_id", "position")
        for line in rows.select_related("unit"):
            lines[line.document_id].append(
                (
                    str(line.unit.uuid),
                    line.article_name,
                    line.unit_mark,
                    line.quantity,
                    line.total,
                    line.quantity_returned,
                )
            )
        for one in documents:
            assert one.registration_number not in real
            real[one.registration_number] = (
                (one.kind, one.terminal_id, one.number, one.variant, one.currency, one.total, str(one.business_day)),
                (owed_for(one) if one.kind == "vente" else 0, one.returned_total, one.voided_at is not None),
                lines[one.pk],
            )
        expected = {
            one.registered: (
                (one.kind, one.till.id, one.number, one.variant, one.currency, one.total, str(one.day)),
                (one.owed if one.kind == "vente" else 0, one.came_back, one.is_voided),
                [
                    (line.unit.uuid, line.name, line.mark, line.quantity, line.total, line.returned)
                    for line in one.lines
                ],
            )
            for one in shop.documents()
        }
        assert real == expected

    def teardown(self) -> None:
        """The day ends: everything is posted, and they still agree."""
        for till in self._tills():
            self._post_all(self._shop_of(self._devices_of(till.id)[0]), till.id)
        self.touched.update(self.shops)
        self.they_agree()

    # How a wish becomes what a till sends.

    def _hand_over(self, device: Device, wished: list[dict[str, Any]]) -> None:
        shop = self._shop_of(device)
        self._send(device, [self._spell(shop, shop.tills[device.terminal_id], wish) for wish in wished])

    def _send(self, device: Device, batch: list[model.Wire]) -> None:
        shop = self._shop_of(device)
        till = shop.tills[device.terminal_id]
        if len(till.unsettled) >= WAITING_MAX:
            self._post_all(shop, till.id)
        accepted = receive_batch(caller=Caller(device), body=json.dumps(batch).encode()).batch
        shop.receive(till, batch_id=accepted.pk, device=device.serial, arrived=self._arrived(accepted), sales=batch)
        self.sent.append((device, batch))
        self.touched.add(shop)

    def _post_all(self, shop: model.Shop, terminal_id: int) -> None:
        self.touched.add(shop)
        while post_slice(terminal_id, slice_s=30).has_more:
            pass
        while shop.tills[terminal_id].unsettled:
            shop.post_next(shop.tills[terminal_id])

    def _post_some(self, shop: model.Shop, terminal_id: int, count: int) -> None:
        self.touched.add(shop)
        till = shop.tills[terminal_id]
        for _ in range(min(count, till.waiting)):
            assert post_slice(till.id, slice_s=0).posted == 1
            shop.post_next(till)

    def _spell(self, shop: model.Shop, till: model.Till, wish: dict[str, Any]) -> model.Wire:
        """Turn a wish into what a till of this shop would send: with real ids, and numbers that it may know."""
        wire = {name: value for name, value in wish.items() if name not in ("days_before", "lignes", "origine")}
        if "days_before" in wish:
            wire["date_vente"] = str(self.today - timedelta(days=wish["days_before"]))
        if "lignes" in wish:
            lines = wish["lignes"]
            wire["lignes"] = lines if wish.get("type") == "retour" else [self._spell_line(shop, line) for line in lines]
        if "origine" in wish:
            wire["origine"] = self._spell_origin(till, wish["origine"])
        return wire

    def _spell_line(self, shop: model.Shop, wish: dict[str, Any]) -> model.Wire:
        units, own = [unit for _, unit in self._units()], list(shop.units.values())
        unit = self._pick(own, wish["at"])
        stranger = self._pick([one for one in units if one not in own], wish["at"])
        other = self._pick([one for one in own if one.article is not unit.article] or [stranger], wish["at"])
        named = {
            "unit": {"unite_uuid": unit.uuid},
            "article": {"article_id": unit.article.id},
            "both": {"unite_uuid": unit.uuid, "article_id": unit.article.id},
            "mixed": {"unite_uuid": unit.uuid, "article_id": other.article.id},
            "stranger": {"unite_uuid": stranger.uuid} if wish["at"] % 2 else {"article_id": stranger.article.id},
            "nobody": {"unite_uuid": str(uuid.UUID(int=wish["at"]))},
        }[wish["by"]]
        return named | {name: value for name, value in wish.items() if name not in ("at", "by")}

    def _spell_origin(self, till: model.Till, wish: dict[str, Any]) -> model.Wire:
        if "sale" in wish:
            sale = self._pick(self._sales_of(till)[::-1], wish["sale"] // 2)
            return {"numero_facture": sale.number} if wish["sale"] % 2 else {"numero_enregistrement": sale.registered}
        if "numero_facture" in wish:
            return wish
        registered = [document.registered for shop in self.shops for document in shop.documents()]
        return {"numero_enregistrement": self._pick(registered or ["FAC-X-202001-000001"], wish["document"])}

    def _rewrite(self, shop: model.Shop, sale: model.Wire, form: str) -> model.Wire:
        """Return the same sale as another version of the till's program would write it."""
        again = json.loads(json.dumps(sale))
        if form == "extra_fields":
            again |= {"caissier": {"nom": "Bob"}, "montant_total": "1", "sequence": 7}
        for line in again.get("lignes", []):
            line["quantite"] = f"{line['quantite']}0" if "." in line["quantite"] else f"{line['quantite']}.0"
            unit = shop.units.get(line.get("unite_uuid"))
            article = shop.articles.get(line.get("article_id"))
            if form == "by_article" and unit:
                line.pop("unite_uuid")
                line["article_id"] = unit.article.id
            if form == "by_unit" and article and not unit:
                line.pop("article_id")
                line["unite_uuid"] = article.base.uuid
        return again

    def _both(self, real: Callable[[], object], modelled: Callable[[], object]) -> None:
        """Do it in the shop and in the model: both do it, or both refuse it with the same code."""
        codes = []
        for act in (real, modelled):
            try:
                act()
            except (InventoryRefused, model.Refused) as refusal:
                codes.append(refusal.code)
            else:
                codes.append("")
        assert codes[0] == codes[1]

    def _pick(self, among: list[Any], at: int) -> Any:
        return among[at % len(among)]

    def _pick_unit(self, at: int) -> tuple[model.Shop, model.Unit]:
        shop, unit = self._pick(self._units(), at)
        self.touched.add(shop)
        return shop, unit

    def _units(self) -> list[tuple[model.Shop, model.Unit]]:
        return [(shop, unit) for shop in self.shops for unit in shop.units.values()]

    def _tills(self) -> list[model.Till]:
        return [till for shop in self.shops for till in shop.tills.values()]

    def _sales_of(self, till: model.Till) -> list[model.Document]:
        return [one for variants in till.documents.values() for one in variants if one.kind == "vente"]

    def _shop_named(self, code: str) -> model.Shop:
        return next(shop for shop in self.shops if shop.code == code)

    def _shop_of(self, device: Device) -> model.Shop:
        return next(shop for shop in self.shops if device.terminal_id in shop.tills)

    def _devices_of(self, terminal_id: int) -> list[Device]:
        return [device for device in self.devices if device.terminal_id == terminal_id]

    def _arrived(self, batch: Batch) -> date:
        return batch.received_at.astimezone(KINSHASA).date()


@pytest.fixture
def _quiet() -> Iterator[None]:
    """A failing day is shown by its steps; thousands of log lines would hide them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.embedded
@pytest.mark.usefixtures("db", "_quiet")
def test_a_shop_and_its_model_agree_whatever_the_day_brings() -> None:
    bounded = settings(
        max_examples=EXAMPLES or 24,
        stateful_step_count=50 if EXAMPLES else 40,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(ShopDays, settings=bounded)
