"""The demonstration: what stands in its shop after a start, told once, and what the examples find there."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from backend.demo.days import load_days
from backend.demo.goods import GOODS
from backend.demo.loader import SERIAL, TOKEN_SERIAL, load_demo
from backend.demo.story import Delivery, Handover, Opening, make_steps
from backend.inventory.models import Article, ArticleUnit
from backend.localrun.stack import Stack
from backend.sales.models import Batch, Sale, SaleOutcome, TillClosing
from backend.sales.repair.open_entries import open_entries
from backend.sales.wire.parser import read_sale
from backend.sales.wire.split import cut
from backend.shops.devices import accepts_token
from backend.shops.models import Device, Shop
from tests.invariants import check_invariants
from tests.plugin import Rig
from tests.tills import Till

pytestmark = pytest.mark.embedded

KINSHASA = ZoneInfo("Africa/Kinshasa")
# A Wednesday. The days before it hold a Sunday, and the end of a month that is closed on its second day.
NOW = datetime(2026, 3, 4, 17, 0, tzinfo=KINSHASA)
DAYS = 3
SECRETS = {"DEMO_PASSWORD": "un-mot-de-passe-de-test", "DEMO_TOKEN": "x" * 43}
# What random or typed secrets may look like to a parser of options, to a shell, or in an address.
AWKWARD = ["-x", "--help", "--days", "a:b@c/d?#%41,", """it's "q" `x` $HOME \\ \\n""", "mot de passe été"]


@pytest.fixture
def shop(real_database: None) -> Shop:
    load_the_demo()
    return Shop.objects.get(code="BTQ-009")


@pytest.fixture
def told_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def load_the_demo() -> None:
    load_demo(password=SECRETS["DEMO_PASSWORD"], token=SECRETS["DEMO_TOKEN"])


def run_demo(rig: Rig, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": rig.database_url, "BROKER_URL": "", **variables}
    command = [sys.executable, "manage.py", "demo", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def counted(shop: Shop) -> dict[str, int]:
    """Return how many rows the telling left, by table."""
    batches = Batch.objects.filter(shop=shop)
    return {
        "batches": batches.count(),
        "documents": Sale.objects.filter(shop=shop).count(),
        "outcomes": SaleOutcome.objects.filter(shop=shop).count(),
        "closings": TillClosing.objects.filter(shop=shop).count(),
        "units": ArticleUnit.objects.filter(shop=shop).count(),
        "movements": sum(unit.movements.count() for unit in ArticleUnit.objects.filter(shop=shop)),
        "tills": shop.terminals.count(),
    }


def test_told_again_it_changes_nothing(shop: Shop) -> None:
    assert load_days(shop=shop, days=DAYS, now=NOW) > 0
    before = counted(shop)
    load_the_demo()
    assert load_days(shop=shop, days=30, now=NOW + timedelta(days=1)) == 0
    assert counted(shop) == before


def test_a_telling_that_was_killed_is_told_to_its_end(shop: Shop, rig: Rig) -> None:
    yesterday = datetime.now(KINSHASA).date() - timedelta(days=1)
    fault = {"FAULT": "kill@moved", "FAULT_NUMBER": f"FAC1-{yesterday:%y%m%d}-004"}
    assert run_demo(rig, "--days", "3", **SECRETS, **fault).returncode == -signal.SIGKILL
    killed = counted(shop)
    assert killed["documents"] > 0
    told = load_days(shop=shop, days=3)
    assert told > 0
    check_invariants()
    after = counted(shop)
    assert after["documents"] > killed["documents"]
    assert after["closings"] > killed["closings"]
    assert load_days(shop=shop, days=3) == 0
    assert counted(shop) == after
    assert open_entries(shop_id=shop.pk).count() == 3


def test_the_examples_are_answered_as_before_the_days(shop: Shop) -> None:
    load_days(shop=shop, days=3, now=NOW)
    stocks = Article.objects.filter(pk__in=(15, 18)).values_list("base_unit__stock", flat=True)
    assert list(stocks) == [100, 100]
    till = Till(Device.objects.select_related("terminal__shop").get(serial=SERIAL))
    line = {"article_id": 15, "quantite": 2, "prix_unitaire": 25000}
    sold = till.settle({"numero_facture": "FAC-20241104-001", "lignes": [line]})
    (entry,) = sold["details"]["creees"]
    assert (entry["montant_total"], entry["lignes"][0]["stock_apres"]) == ("50000.00", 98)
    foreign = till.settle_one({"numero_facture": "FAC-2", "lignes": [line | {"article_id": 999}]})
    assert foreign["erreur"] == "Article 999 non trouvé dans cette boutique"


def test_a_story_of_two_days_in_which_not_every_till_sells_is_told(real_database: None, told_secrets: None) -> None:
    call_command("demo", days=2)
    assert Sale.objects.exists()
    check_invariants()


def test_the_command_tells_no_days_unless_it_is_asked_to(real_database: None, told_secrets: None) -> None:
    call_command("demo")
    assert not Batch.objects.exists()
    assert set(Article.objects.values_list("pk", flat=True)) == {15, 18, 19, 20, 999}
    with pytest.raises(CommandError, match="0 to 40"):
        call_command("demo", days=41)


@pytest.mark.parametrize("secret", AWKWARD)
def test_any_secret_reaches_the_demo_through_the_stack(stack: Stack, secret: str) -> None:
    stack.run_once("demo", environment={"DEMO_PASSWORD": secret, "DEMO_TOKEN": secret})
    assert authenticate(username="demo", password=secret)
    assert accepts_token(Device.objects.get(serial=TOKEN_SERIAL), secret)


@pytest.mark.parametrize("option", [("--password", "-x"), ("--password", "a"), ("--password=-x",), ("--token", "a")])
def test_an_option_of_earlier_versions_is_refused_by_the_name_of_its_variable(
    real_database: None, rig: Rig, option: tuple[str, ...]
) -> None:
    refused = run_demo(rig, *option, **SECRETS)
    assert refused.returncode == 2
    name = "DEMO_TOKEN" if option[0] == "--token" else "DEMO_PASSWORD"
    assert f"set {name} in the environment instead" in refused.stderr
    assert not Shop.objects.exists()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_missing_is_named(real_database: None, rig: Rig, name: str) -> None:
    refused = run_demo(rig, **{**SECRETS, name: ""})
    assert refused.returncode == 1
    assert f"{name} is not set" in refused.stderr
    assert not Shop.objects.exists()


@pytest.mark.parametrize("hour", [0, 9, 23])
@pytest.mark.parametrize("back", range(7))
def test_whenever_it_is_told_no_shelf_is_empty_before_its_time(hour: int, back: int) -> None:
    until = NOW.replace(hour=hour, minute=10) - timedelta(days=back)
    steps = make_steps(until=until, days=30)
    assert steps == make_steps(until=until, days=30)
    holds = {goods.box: goods.carton.holds for goods in GOODS if goods.carton}
    names = {str(unit.uuid): unit for goods in GOODS for unit in (goods.piece, goods.box)}
    stock: dict[object, Decimal] = defaultdict(Decimal)
    troubles = 0
    for step in steps:
        assert step.at <= until
        if isinstance(step, Delivery):
            stock[step.unit] += step.quantity
        elif isinstance(step, Opening):
            stock[step.unit] -= step.count
            stock[step.unit._replace(level="PIECE")] += step.count * holds[step.unit]
        elif isinstance(step, Handover):
            sales = [read_sale(raw) for raw in cut(step.body)]
            wanted = [(dict(line.key).get("unite_uuid"), line.quantity) for sale in sales for line in sale.lines]
            troubles += sum(uuid is None or quantity == 400 for uuid, quantity in wanted)
            for uuid, quantity in wanted:
                if uuid and quantity != 400:
                    stock[names[uuid]] -= quantity
        assert min(stock.values(), default=0) >= 0
    assert troubles == 2
