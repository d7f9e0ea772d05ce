"""Races for the same units, code or carton, and a COMMIT whose answer is lost. Each is forced."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, connections, transaction

from backend.inventory.carton_opening import open_units
from backend.inventory.catalogue import NewUnit, add_unit, create_article, lock_article, lock_shop
from backend.inventory.errors import CodeTaken
from backend.inventory.importing.import_articles import carry_out, read_articles_sheet
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement, UnitLevel
from backend.inventory.stock import count_stock, lock_units, move_stock
from backend.localrun.processes import wait_until
from backend.testing import Cast, make_article
from backend.testing import add_unit as add_unit_with_stock
from tests.faults.proxy import FaultProxy
from tests.invariants import check_invariants, check_stock
from tests.inventory.conftest import Nails
from tests.tills import Till, line, sale, stock_of


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


def start_together(*works: Callable[[], object]) -> Callable[[], list[object]]:
    """Run each in its own thread. Returns a function that waits for them and returns their results or exceptions."""

    def run(work: Callable[[], object]) -> object:
        try:
            return work()
        finally:
            connections.close_all()

    pool = ThreadPoolExecutor(max_workers=len(works))
    started = [pool.submit(run, work) for work in works]

    def finish() -> list[object]:
        pool.shutdown()
        return [one.exception() or one.result() for one in started]

    return finish


def wait_for_waiters(count: int) -> None:
    """Wait until transactions wait for locks. InnoDB updates their list only if it was not read for 0.1 s."""

    def waiters() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
            return cursor.fetchone()[0]

    assert wait_until(lambda: waiters() >= count, timeout_s=4, pause_s=0.3)


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("held", "waiters"), [("piece", 2), ("thousand", 3), ("carton", 2)])
def test_openings_and_a_sale_of_the_same_units_wait_for_each_other_without_a_deadlock(
    cast: Cast, held: str, waiters: int
) -> None:
    """All three lock more than one of the units, and wait at the locked one, unless an opening is done before."""
    nails = Nails(cast)
    till = Till(cast.device)
    units = [nails.carton, nails.piece, nails.thousand]
    till.hand_over(
        sale("FAC-1", *[{"unite_uuid": str(unit.uuid), "quantite": 1, "prix_unitaire": 100} for unit in units])
    )
    before = deadlocks()
    with transaction.atomic():
        lock_units([getattr(nails, held).pk])
        finish = start_together(
            lambda: open_units(unit=nails.carton, count=1, author="Alice"),
            lambda: open_units(unit=nails.thousand, count=1, author="Bob"),
            till.post_all,
        )
        wait_for_waiters(waiters)
    assert [result for result in finish() if isinstance(result, Exception)] == []
    assert deadlocks() == before
    assert till.outcomes() == ["created"]
    assert nails.stocks() == [0, 13, 1099]
    check_invariants()


def test_an_opening_waits_for_a_level_that_is_being_put_between(cast: Cast) -> None:
    """A carton held 12,000 pieces, and holds 12 thousands as soon as the level of thousands exists."""
    carton = add_unit_with_stock(cast.rice, level=UnitLevel.CARTON, stock=1, holds=Decimal(12000))
    told = b"code;niveau;contient;prix\nRIZ25;CARTON;12;\nRIZ25;MILLIER;1000;500"
    with transaction.atomic():
        carry_out(shop=cast.shop, sheet=read_articles_sheet(told), author="Alice")
        finish = start_together(lambda: open_units(unit=carton, count=1, author="Bob"))
        wait_for_waiters(1)
    ((_, brought),) = finish()
    assert (brought.unit.level, brought.quantity) == ("MILLIER", 12)
    assert stock_of(cast.rice) == 100
    check_stock()


def test_selling_does_not_wait_for_changes_of_the_catalogue(cast: Cast) -> None:
    """Nor for the shop's settings: a lock on the shop's or the article's row delays no till."""
    till = Till(cast.device)
    till.hand_over(sale("FAC-1", line(cast.rice)))
    with transaction.atomic():
        lock_shop(cast.shop)
        lock_article(shop=cast.shop, article_uuid=cast.rice.uuid)
        assert start_together(till.post_all)() == [None]
        assert till.outcomes() == ["created"]


def test_two_articles_made_at_once_under_one_code_are_one_and_a_refusal(cast: Cast) -> None:
    def create() -> Article:
        unit = NewUnit(level=UnitLevel.PIECE, price=Decimal(500))
        return create_article(shop=cast.shop, code="SEL", name="Sel", base_unit=unit)

    with transaction.atomic():
        type(cast.shop).objects.select_for_update().get(pk=cast.shop.pk)
        finish = start_together(create, create)
        wait_for_waiters(2)
    results = finish()
    assert {type(result) for result in results} == {Article, CodeTaken}
    assert Article.objects.filter(code="SEL").count() == 1


def test_an_import_sees_the_movement_that_it_waited_for(cast: Cast) -> None:
    """In the preview the unit had never moved; its first movement is made by hand during the import."""
    article = make_article(cast.shop, code="NEUF", stock=0)
    sheet = read_articles_sheet(b"code;niveau;stock\nNEUF;PIECE;50")
    with transaction.atomic():
        move_stock(unit=article.base_unit, quantity=Decimal(7), movement_type=MovementType.ENTRY, author="Bob")
        finish = start_together(lambda: carry_out(shop=cast.shop, sheet=sheet, author="Alice"))
        wait_for_waiters(1)
    (plan,) = finish()
    assert (plan.openings, len(plan.ignored)) == ([], 1)
    assert stock_of(article) == 7
    check_stock()


@pytest.fixture
def through_proxy(cast: Cast) -> Iterator[FaultProxy]:
    """This test's connection goes through a proxy that can lose an answer."""
    settings = connection.settings_dict
    host, port = settings["HOST"], settings["PORT"]
    with FaultProxy((host, int(port))) as proxy:
        connection.close()
        settings.update(HOST="127.0.0.1", PORT=proxy.port)
        yield proxy
        connection.close()
        settings.update(HOST=host, PORT=port)


def move_rice(cast: Cast) -> StockMovement:
    unit = cast.rice.base_unit
    return move_stock(unit=unit, quantity=Decimal(5), movement_type=MovementType.ENTRY, author="Bob")


def test_a_lost_answer_to_commit_moves_stock_once(cast: Cast, through_proxy: FaultProxy) -> None:
    nails = Nails(cast)
    for work in (
        lambda: move_rice(cast),
        lambda: count_stock(unit=cast.oil.base_unit, counted=Decimal(90), author="Bob", reason="inventaire"),
    ):
        through_proxy.swallow_answer_to(b"\x03COMMIT")
        movement = work()
        assert movement.pk == StockMovement.objects.latest("pk").pk
    through_proxy.swallow_answer_to(b"\x03COMMIT")
    pair = open_units(unit=nails.carton, count=1, author="Bob")
    assert [one.pk for one in pair] == list(StockMovement.objects.order_by("-pk").values_list("pk", flat=True)[:2])[
        ::-1
    ]
    assert through_proxy.faults == 3
    assert (stock_of(cast.rice), stock_of(cast.oil), nails.stocks()) == (105, 90, [1, 15, 100])
    check_stock()


def test_a_lost_answer_to_commit_makes_an_article_once(cast: Cast, through_proxy: FaultProxy) -> None:
    through_proxy.swallow_answer_to(b"\x03COMMIT")
    piece = NewUnit(level=UnitLevel.PIECE, price=Decimal(500))
    article = create_article(shop=cast.shop, code="SEL", name="Sel", base_unit=piece)
    assert article == Article.objects.get(code="SEL")
    through_proxy.swallow_answer_to(b"\x03COMMIT")
    carton = NewUnit(level=UnitLevel.CARTON, price=Decimal(5000))
    unit = add_unit(shop=cast.shop, article_uuid=article.uuid, unit=carton)
    assert unit == ArticleUnit.objects.get(article=article, level="CARTON")
    assert through_proxy.faults == 2


def test_a_lost_answer_to_commit_imports_once_and_says_what_was_done(cast: Cast, through_proxy: FaultProxy) -> None:
    sheet = read_articles_sheet(b"code;nom;niveau;prix;stock\nSEL;Sel;PIECE;500;40")
    through_proxy.swallow_answer_to(b"\x03COMMIT")
    plan = carry_out(shop=cast.shop, sheet=sheet, author="Alice")
    assert through_proxy.faults == 1
    assert [(opening.subject, opening.quantity) for opening in plan.openings] == [("Sel · PIECE", 40)]
    assert StockMovement.objects.filter(unit__article__code="SEL").count() == 1
    check_stock()


def break_first_movement() -> Callable:
    """Return a wrapper that answers the first insert of a movement with a deadlock."""
    struck: list[str] = []

    def strike(execute: Callable, sql: str, parameters: object, many: bool, context: dict) -> object:
        if "INSERT INTO `inventory_stockmovement`" in sql and not struck:
            struck.append(sql)
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return execute(sql, parameters, many, context)

    return strike


def test_a_deadlock_is_tried_again(cast: Cast) -> None:
    with connection.execute_wrapper(break_first_movement()):
        move_rice(cast)
    assert stock_of(cast.rice) == 105
    check_stock()


def test_inside_another_transaction_a_deadlock_is_left_to_the_outer_one(cast: Cast) -> None:
    """The server has rolled back what came before too: retrying only the inner part would keep half."""
    with pytest.raises(OperationalError), transaction.atomic(), connection.execute_wrapper(break_first_movement()):
        move_rice(cast)
    assert stock_of(cast.rice) == 100


def test_a_sale_that_waited_for_its_unit_is_stamped_after_what_it_waited_for(cast: Cast) -> None:
    """In the order of their times a unit's movements are its chain, which pages and tills are shown."""
    till = Till(cast.device)
    till.hand_over(sale("A", line(cast.rice)))
    unit = cast.rice.base_unit
    with transaction.atomic():
        lock_units([unit.pk])
        finish = start_together(till.post_all)
        wait_for_waiters(1)
        move_stock(unit=unit, quantity=Decimal(5), movement_type=MovementType.ENTRY, author="alice")
    finish()
    shown = list(StockMovement.objects.filter(unit=unit).order_by("at", "pk"))
    assert [one.type for one in shown[-2:]] == [MovementType.ENTRY, MovementType.SALE]
    assert all(later.stock_before == earlier.stock_after for earlier, later in itertools.pairwise(shown))
