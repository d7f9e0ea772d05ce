"""Random days of a shop, played against the real services and the model: they agree on everything that counts.

A short, repeatable run goes with every test run. PROPERTY_EXAMPLES=1000 plays so many other days, each of them longer.
"""

import json
import logging
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
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
from backend.inventory.models import ArticleUnit, MovementType
from backend.inventory.stock import move_stock
from backend.sales.days.month_closing import MonthAlreadyClosed, close_month
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch
from backend.sales.posting.runner import post_slice
from backend.sales.repair.back_office import office_device
from backend.sales.repair.retry import retry_outcome
from backend.shops.models import Device
from backend.shops.models import Shop as RealShop
from backend.testing import add_unit, make_article, make_device, make_shop, make_terminal
from tests.properties import model
from tests.properties.comparison import (
    Seen,
    agree_on_documents,
    agree_on_money,
    agree_on_outcomes,
    agree_on_stock,
    agree_on_takings,
)
from tests.properties.money import value_of
from tests.properties.wishes import (
    RATES,
    any_index,
    anything,
    corrections,
    following,
    numbers_of,
    recent_origin,
    sales,
    spell_rows,
)

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
KINSHASA = ZoneInfo("Africa/Kinshasa")
WAITING_MAX = 12


class ShopDays(RuleBasedStateMachine):
    """Alice's shop with two tills, one of them held by two devices after a repair, and Charlie's with one."""

    def __init__(self) -> None:
        super().__init__()
        self.shops: list[model.Shop] = []
        self.real_shops: dict[str, RealShop] = {}
        self.devices: list[Device] = []
        self.sent: list[tuple[Device, list[model.Wire]]] = []
        self.seen: Seen = {}
        self.today = datetime.now(KINSHASA).date()
        self.touched: set[model.Shop] = set()

    @initialize(refuses=st.booleans(), first=st.lists(sales, min_size=3, max_size=7))
    def open_shops(self, refuses: bool, first: list[dict[str, Any]]) -> None:
        """Open the shops and sell a little: Hypothesis leaves some rules out of a day, perhaps those that sell."""
        for policy in (refuses, not refuses):
            real = make_shop(stock_policy="refuse" if policy else "accept")
            shop = model.Shop(code=real.code, currency="CDF", currencies={"CDF", "USD"}, refuses=policy)
            self.shops.append(shop)
            self.real_shops[shop.code] = real
            self._add_article(shop, levels={"PIECE": 60, "CARTON": 12})
        self._add_article(self.shops[0], levels={"PIECE": 30})
        for shop, held_by in ((self.shops[0], 2), (self.shops[0], 1), (self.shops[1], 1)):
            terminal = make_terminal(self.real_shops[shop.code])
            shop.tills[terminal.pk] = model.Till(terminal.pk)
            self.devices += [make_device(terminal) for _ in range(held_by)]
        for shop in self.shops:
            office = office_device(self.real_shops[shop.code])
            shop.tills[office.terminal_id] = model.Till(office.terminal_id, is_office=True)
            self.devices.append(office)
        self._hand_over(self.devices[0], first)
        self._post_all(self.shops[0], self.devices[0].terminal_id)

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

    @precondition(lambda self: self._tills_that_can_follow())
    @rule(at=any_index, wished=st.lists(st.one_of(*[following(recent_origin)] * 3, sales), min_size=1, max_size=9))
    def follow(self, at: int, wished: list[dict[str, Any]]) -> None:
        """Hand over voids, returns and payments of a till's sales, or of the shop's, and new sales; posted at once."""
        self._follow([till for till in self._tills_that_can_follow() if not till.is_office], at, wished)

    @precondition(lambda self: self._tills_that_can_follow())
    @rule(at=any_index, wished=st.lists(following(recent_origin), min_size=1, max_size=6))
    def follow_on_the_pages(self, at: int, wished: list[dict[str, Any]]) -> None:
        """Record voids, returns and payments in the shop's office: of any till's sales, in any till's drawer."""
        self._follow([till for till in self._tills_that_can_follow() if till.is_office], at, wished)

    @precondition(lambda self: self._tills_that_can_follow())
    @rule(at=any_index, corrected=corrections)
    def correct_at_the_desk(self, at: int, corrected: dict[str, Any]) -> None:
        """Undo a sale where it was made: in its drawer, on its day."""
        self._follow([till for till in self._tills_that_can_follow() if till.is_office], at, [corrected])

    def _follow(self, tills: list[model.Till], at: int, wished: list[dict[str, Any]]) -> None:
        till = self._pick(tills, at)
        device = self._pick(self._devices_of(till.id), at)
        self._hand_over(device, wished)
        self._post_all(self._shop_of(device), till.id)

    def _tills_that_can_follow(self) -> list[model.Till]:
        shops = [shop for shop in self.shops if any(self._sales_of(till) for till in shop.tills.values())]
        return [till for shop in shops for till in shop.tills.values()]

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
        form=st.sampled_from(["same", "extra_fields", "other_money", "by_unit", "by_article"]),
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
    @rule(at=any_index, days=st.sampled_from([35, 60]))
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
            real = self.real_shops[shop.code]
            agree_on_stock(shop, real)
            agree_on_outcomes(shop, real, self.seen)
            agree_on_documents(shop, real)
            agree_on_money(shop, real, datetime.now(UTC))
        self.touched.clear()

    def teardown(self) -> None:
        """The day ends: everything is posted, and they still agree."""
        for till in self._tills():
            self._post_all(self._shop_of(self._devices_of(till.id)[0]), till.id)
        self.touched.update(self.shops)
        self.they_agree()
        for shop in self.shops:
            agree_on_takings(shop, self.real_shops[shop.code])

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
        kept = ("numero_facture", "type", "devise", "remise", "paye", "mode_paiement", "caissier")
        wire = {name: wish[name] for name in kept if name in wish}
        if "days_before" in wish:
            wire["date_vente"] = str(self.today - timedelta(days=wish["days_before"]))
        if "lignes" in wish:
            lines = wish["lignes"]
            wire["lignes"] = lines if wish.get("type") == "retour" else [self._spell_line(shop, line) for line in lines]
        if "origine" in wish:
            wire["origine"] = self._spell_origin(shop, till, wish["origine"], wish["type"])
        if "tiroir" in wish:
            wire["tiroir"] = self._spell_drawer(shop, wish["tiroir"])
        return wire | self._spell_money(shop, wire, wish)

    def _spell_money(self, shop: model.Shop, wire: model.Wire, wish: dict[str, Any]) -> model.Wire:
        """Amounts are of what the document is about: the sale's total, what is owed for it, or what stands of it."""
        if "origine" not in wire:
            about, currency = model.sale_total(wire), wire.get("devise", shop.currency)
        else:
            named = set(wire["origine"].values())
            origin = next((one for one in shop.documents() if named & {one.number, one.registered}), None)
            about, currency = Decimal(1), shop.currency
            if origin is not None:
                about, currency = origin.owed or value_of(origin.standing), origin.currency
        currency = currency if currency in RATES else shop.currency
        rows = {
            name: spell_rows(wish[name], about=abs(about), currency=currency)
            for name in ("paiements", "rendu", "said")
            if name in wish
        }
        (said,) = rows.pop("said", [{}])
        return rows | {name: value for name, value in said.items() if name != "mode"}

    def _spell_drawer(self, shop: model.Shop, wish: dict[str, Any]) -> model.Wire:
        if "which" not in wish:
            return {}
        if wish["which"] == "origin":
            return {"origine": True}
        if wish["which"] == "stranger":
            return {"caisse": next(till.id for till in self._tills() if till.id not in shop.tills)}
        return {"caisse": self._pick(list(shop.tills), wish["at"]), "caissier": wish["caissier"]}

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

    def _spell_origin(self, shop: model.Shop, till: model.Till, wish: dict[str, Any], kind: str) -> model.Wire:
        if "sale" in wish:
            # A till may take back, and the shop's pages mostly do, what another one sold.
            own = self._sales_of(till) if wish["is_tills"] and not till.is_office else []
            sales = own or [one for each in shop.tills.values() for one in self._sales_of(each)]
            if wish["is_open"]:
                sales = [one for one in sales if (one.owed if kind == "paiement" else not one.is_voided)] or sales
            sale = self._pick(sorted(sales, key=lambda one: one.registered)[::-1], wish["sale"] // 2)
            by_number = sale.till is till and wish["sale"] % 2
            return {"numero_facture": sale.number} if by_number else {"numero_enregistrement": sale.registered}
        if "numero_facture" in wish:
            return wish
        registered = [document.registered for shop in self.shops for document in shop.documents()]
        return {"numero_enregistrement": self._pick(registered or ["FAC-X-202001-000001"], wish["document"])}

    def _rewrite(self, shop: model.Shop, sale: model.Wire, form: str) -> model.Wire:
        """Return the same sale as another version of the till's program would write it."""
        again = json.loads(json.dumps(sale))
        if form == "extra_fields":
            again |= {"caissier": {"nom": "Bob"}, "montant_total": "1", "sequence": 7}
        if form == "other_money":
            again |= {"mode_paiement": "CARTE", "paiements": [], "rendu": [], "paye": True}
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
@pytest.mark.timeout(2 * 60 * 60 if EXAMPLES else 300)
@pytest.mark.usefixtures("db", "_quiet")
def test_a_shop_and_its_model_agree_whatever_the_day_brings() -> None:
    bounded = settings(
        max_examples=EXAMPLES or 12,
        stateful_step_count=50 if EXAMPLES else 40,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(ShopDays, settings=bounded)
