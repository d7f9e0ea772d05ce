"""How each alert is provoked: a situation that a real installation gets into, held while the alert is looked for.

Keyed by the alert's name and severity. What is said in minutes of age is made old in the database; durations are short
in the private Prometheus. Each leaves the stack as it found it.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO

from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from redis import Redis

from backend.inventory.models import ArticleUnit
from backend.localrun.processes import wait_until
from backend.ops.models import DoctorRun, SweepTurn
from backend.sales.models import Batch, Lane
from backend.sales.tills.pauses import pause, resume
from tests.deploy.scene import PATIENCE_S, Scene

Provocation = Callable[[Scene], AbstractContextManager[None]]
PROVOCATIONS: dict[tuple[str, str], Provocation] = {}


def provokes(name: str, severity: str) -> Callable[[Callable[[Scene], Iterator[None]]], Provocation]:
    def register(provoke: Callable[[Scene], Iterator[None]]) -> Provocation:
        PROVOCATIONS[name, severity] = contextmanager(provoke)
        return PROVOCATIONS[name, severity]

    return register


# With everything running.


@provokes("CaisseTillClockWrong", "warning")
def a_till_is_three_days_behind(scene: Scene) -> Iterator[None]:
    till = scene.till()
    assert scene.call(till, "etat", {"heure": (datetime.now(UTC) - timedelta(days=3)).isoformat()}) == 200
    yield
    assert scene.call(till, "etat", {"heure": datetime.now(UTC).isoformat()}) == 200


@provokes("CaissePausedForLong", "warning")
def somebody_forgot_a_pause(scene: Scene) -> Iterator[None]:
    pause(shop=scene.shop)
    try:
        yield
    finally:
        resume(shop=scene.shop)


@provokes("CaisseMigrationsPending", "critical")
def the_program_is_newer_than_the_database(scene: Scene) -> Iterator[None]:
    newest = MigrationRecorder.Migration.objects.filter(app="sales").latest("pk")
    newest.delete()
    # What a process has once found complete it asks no more: new programs come with new processes.
    scene.api.kill9()
    scene.api.start_ready()
    try:
        yield
    finally:
        newest.save(force_insert=True)


@provokes("CaisseDoctorFoundSomething", "warning")
def stock_was_changed_behind_the_movements(scene: Scene) -> Iterator[None]:
    unit = ArticleUnit.objects.filter(article=scene.article)
    stock = unit.get().stock
    unit.update(stock=stock + 1)
    examine()
    try:
        yield
    finally:
        unit.update(stock=stock)
        # The examination that found it would stay the last one.
        DoctorRun.objects.filter(finding_count__gt=0).delete()


@provokes("CaisseDoctorNotRun", "warning")
def the_doctor_last_came_two_days_ago(scene: Scene) -> Iterator[None]:
    DoctorRun.objects.update(at=datetime.now(UTC) - timedelta(days=2))
    yield
    DoctorRun.objects.update(at=datetime.now(UTC))


@provokes("CaisseIntakeRefused", "warning")
def tills_send_what_is_no_batch(scene: Scene) -> Iterator[None]:
    till = scene.till()
    assert {scene.call(till, "ventes/sync", []) for _ in range(25)} == {400}
    yield


@provokes("CaisseRefusalsUnusual", "warning")
def an_article_list_was_not_imported(scene: Scene) -> Iterator[None]:
    scene.with_posters()
    till = scene.till()
    unknown = [{"article_id": 999_999_999, "quantite": 1, "prix_unitaire": 1000}]
    scene.hand_over(till, *(scene.sale(lignes=unknown) for _ in range(60)))
    yield


@provokes("CaisseOldestSaleWaiting", "warning")
def nobody_may_post_a_till_for_minutes(scene: Scene) -> Iterator[None]:
    with a_sale_waits(scene, since=timedelta(minutes=3)):
        yield


@provokes("CaisseOldestSaleWaiting", "critical")
def nobody_may_post_a_till_for_a_quarter_of_an_hour(scene: Scene) -> Iterator[None]:
    with a_sale_waits(scene, since=timedelta(minutes=15)):
        yield


@contextmanager
def a_sale_waits(scene: Scene, *, since: timedelta) -> Iterator[None]:
    scene.with_posters()
    till = scene.till()
    with scene.lane_held(till):
        batch = scene.hand_over(till, scene.sale())
        then = datetime.now(UTC) - since
        # On a connection of its own: ours is inside the transaction that holds the lane.
        in_another_session(lambda: Batch.objects.filter(pk=batch.pk).update(received_at=then, moved_at=then))
        yield
    scene.wait_settled(till)


@provokes("CaisseSweepPostsItself", "warning")
def the_worker_answers_but_its_children_are_frozen(scene: Scene) -> Iterator[None]:
    scene.with_posters()
    children = scene.worker.children()
    for pid in children:
        os.kill(pid, signal.SIGSTOP)
    tills = [scene.till() for _ in range(2)]
    for till in tills:
        scene.hand_over(till, scene.sale())
    try:
        yield
    finally:
        for pid in children:
            os.kill(pid, signal.SIGCONT)


# From here on nobody posts but with a fault.


@provokes("CaisseNoWorker", "warning")
def all_workers_are_gone(scene: Scene) -> Iterator[None]:
    scene.with_posters()
    scene.worker.kill9()
    yield


@provokes("CaisseSweepSilent", "warning")
def all_sweeps_are_gone(scene: Scene) -> Iterator[None]:
    scene.sweep.kill9()
    SweepTurn.objects.update(at=datetime.now(UTC) - timedelta(minutes=2))
    yield


@provokes("CaissePostingSlow", "warning")
def the_disk_is_slow(scene: Scene) -> Iterator[None]:
    marker = scene.folder / "slow"
    marker.touch()
    with scene.faulty_sweep(FAULT="wait@stock", FAULT_FILE=str(marker)):
        till = scene.till()
        scene.hand_over(till, scene.sale())
        assert wait_until((scene.folder / "slow.reached").exists, timeout_s=PATIENCE_S)
        threading.Event().wait(0.5)
        marker.unlink()
        yield


@provokes("CaisseRetriesMany", "warning")
def the_database_makes_everybody_wait_for_locks(scene: Scene) -> Iterator[None]:
    with scene.faulty_sweep(FAULT="wear@looked_up"):
        tills = [scene.till() for _ in range(12)]
        for till in tills:
            scene.hand_over(till, scene.sale())
        yield


@provokes("CaisseFailedSales", "warning")
def a_sale_is_broken(scene: Scene) -> Iterator[None]:
    scene.without_posters()
    till = scene.till()
    scene.hand_over(till, scene.sale())
    poster = scene.poster(till, FAULT="raise@stock")
    poster.start()
    assert poster.wait(timeout_s=PATIENCE_S) == 0
    yield
    try_again()


@provokes("CaisseFailedSales", "critical")
def a_release_breaks_every_sale(scene: Scene) -> Iterator[None]:
    with scene.faulty_sweep(FAULT="raise@stock"):
        scene.hand_over(scene.till(), *(scene.sale() for _ in range(30)))
        yield


@provokes("CaisseSaleKillsWorkers", "warning")
def a_sale_kills_whoever_comes_near_it(scene: Scene) -> Iterator[None]:
    scene.without_posters()
    till = scene.till()
    scene.hand_over(till, scene.sale())
    poster = scene.poster(till, FAULT="kill@lines")
    lane = Lane.objects.filter(pk=till.terminal_id)

    def has_killed_three() -> bool:
        poster.start()
        poster.wait(timeout_s=PATIENCE_S)
        return lane.get().starts >= 3

    assert wait_until(has_killed_three, timeout_s=PATIENCE_S, pause_s=0.5)
    yield


@provokes("CaisseBacklog", "warning")
def more_waits_than_an_hour_posts(scene: Scene) -> Iterator[None]:
    scene.without_posters()
    till = scene.till()
    for _ in range(2):
        scene.hand_over(till, *(scene.sale() for _ in range(600)))
    yield


# With something full or gone.


@provokes("CaisseRingFailures", "warning")
def redis_is_full(scene: Scene) -> Iterator[None]:
    # A worker that has work in hand dies of a full Redis.
    scene.without_posters()
    with Redis.from_url(scene.rig.broker_url) as redis:
        before = redis.config_get("maxmemory")["maxmemory"]
        redis.config_set("maxmemory", 1)
        try:
            for _ in range(15):
                scene.hand_over(scene.till(), scene.sale())
            yield
        finally:
            redis.config_set("maxmemory", before)


@provokes("CaisseBrokerDown", "warning")
def redis_is_gone(scene: Scene) -> Iterator[None]:
    scene.rig.redis.kill9()
    try:
        yield
    finally:
        scene.rig.redis.start()


@provokes("CaisseDatabaseDown", "critical")
def the_database_is_gone(scene: Scene) -> Iterator[None]:
    scene.rig.mariadb.kill9()
    try:
        yield
    finally:
        scene.rig.mariadb.start()
        connection.close()


@provokes("CaisseDown", "critical")
def the_api_is_gone(scene: Scene) -> Iterator[None]:
    scene.api.kill9()
    try:
        yield
    finally:
        scene.api.start_ready()


def examine() -> None:
    """What runs every night; it ends with 1 when it finds something."""
    with suppress(SystemExit):
        call_command("doctor", json=True, stdout=StringIO())


def in_another_session(act: Callable[[], object]) -> None:
    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def try_again() -> None:
    """What an operator does once the bug is gone."""
    call_command("retry", status="failed", stdout=StringIO())
