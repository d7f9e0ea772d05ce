"""P1 and P2: batches have the bytes that the till sent, and their cursors are where the outcomes end."""

import hashlib
from collections.abc import Iterator
from functools import partial

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q

from backend.doctor.bodies import COST, KeptBatch, choose_batches, read_batches
from backend.doctor.locks import hold_lane
from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import listed, name_batch, name_till, ranges
from backend.sales.errors import BatchRefused
from backend.sales.models import RECORDED, Batch, Lane, OutcomeStatus, Sale, SaleOutcome
from backend.sales.wire.split import cut, peek

LOST_BYTES = (
    "Ce que la caisse a confié ne peut plus être relu : ni enregistré s'il attend encore, ni prouvé. Rendez ses octets"
    " à la table sales_batchbody depuis une sauvegarde, ou faites renvoyer ces ventes par la caisse : celles qui sont"
    " enregistrées reviendront comme déjà existantes."
)


@check(promise="P1", title="Chaque lot accepté a gardé ses octets")
def batches_have_bytes(scope: Scope) -> Iterator[Finding]:
    """Find batches without bytes, as after a table was emptied or restored in part."""
    lost = Batch.objects.filter(body__isnull=True, **scope.narrow()).order_by("pk")
    for batch_id, settled_at in lost.values_list("pk", "settled_at"):
        stops = "" if settled_at else " La caisse est arrêtée à ce lot."
        yield Finding(f"{name_batch(batch_id)} n'a plus ses octets", LOST_BYTES + stops)


@check(promise="P1", title="Les octets gardés sont ceux que la caisse a envoyés", cost=COST)
def bytes_are_the_tills(scope: Scope) -> Iterator[Finding]:
    """Compare the bytes with the hash and the count of sales that were stored with them."""
    for batch in read_batches(choose_batches(scope)):
        fault = _fault_of(batch)
        if fault:
            yield Finding(f"{name_batch(batch.id)} : {fault}", LOST_BYTES)


def _fault_of(kept: KeptBatch) -> str:
    body = kept.inflate()
    if body is None:
        return "ses octets ne se décompressent pas"
    if hashlib.sha256(body).hexdigest() != kept.sha256:
        return "ses octets ne sont plus ceux dont l'empreinte a été prise à l'arrivée"
    try:
        count = len(cut(body))
    except BatchRefused:
        return "ses octets ne se découpent pas en ventes"
    return "" if count == kept.sale_count else f"ses octets font {count} vente(s), {kept.sale_count} étaient annoncées"


@check(promise="P1", title="Chaque caisse qui a des ventes en attente a sa voie d'enregistrement")
def waiting_tills_have_lanes(scope: Scope) -> Iterator[Finding]:
    """Find unsettled batches of a terminal without a lane: no worker can claim them."""
    lanes = Lane.objects.filter(pk=OuterRef("terminal_id"))
    stranded = Batch.objects.filter(~Exists(lanes), settled_at=None, **scope.narrow())
    for row in stranded.values("terminal_id").annotate(count=Count("pk")).order_by("terminal_id"):
        terminal_id = row["terminal_id"]
        yield Finding(
            f"{name_till(terminal_id)} a {row['count']} lot(s) en attente et pas de voie (sales_lane)",
            "Ses ventes acceptées ne seront jamais enregistrées, quoi que fassent les ouvriers et la ronde.",
            Repair("Ouvrir la voie de la caisse ; la ronde reprend ses ventes.", partial(_open_lane, terminal_id)),
        )


def _open_lane(terminal_id: int) -> dict[str, object] | None:
    _, is_new = Lane.objects.get_or_create(pk=terminal_id)
    return {"before": None, "after": {"lane": terminal_id}} if is_new else None


@check(promise="P2", title="Chaque vente passée a un résultat, et aucune n'en a d'avance")
def outcomes_end_at_the_cursor(scope: Scope) -> Iterator[Finding]:
    """Positions 1 to next_position - 1 have one outcome each, and none beyond. A batch is settled exactly when its
    cursor is past the end."""
    for batch_id in sorted(_misplaced(scope)):
        batch = Batch.objects.get(pk=batch_id)
        positions = set(SaleOutcome.objects.filter(batch_id=batch_id).values_list("position", flat=True))
        faults = list(_faults_of(batch, positions))
        if faults:
            repair = None
            if _proven_cursor(batch, positions):
                repair = Repair(
                    f"Replacer le curseur après la dernière vente qui a son résultat ({len(positions)} sur"
                    f" {batch.sale_count}) ; ce qui reste est repris de là.",
                    partial(_place_cursor, batch_id),
                )
            yield Finding(f"{name_batch(batch_id)} : {' ; '.join(faults)}", _advice(batch, positions), repair)


def _misplaced(scope: Scope) -> set[int]:
    """Return the batches that are wrong. Each question is one statement, so that a batch may move meanwhile."""
    outcomes = SaleOutcome.objects.filter(**scope.narrow(shop="batch__shop_id", terminal="batch__terminal_id"))
    counted = outcomes.values("batch_id").annotate(
        kept=Count("position"), first=Min("position"), last=Max("position"), cursor=Max("batch__next_position")
    )
    batches = Batch.objects.filter(**scope.narrow())
    wrong_end = Q(settled_at=None, next_position__gt=F("sale_count")) | Q(
        settled_at__isnull=False, next_position__lte=F("sale_count")
    )
    out_of_range = Q(next_position__gt=F("sale_count") + 1) | Q(next_position=0)
    none = batches.exclude(next_position=1).filter(~Exists(SaleOutcome.objects.filter(batch_id=OuterRef("pk"))))
    return {
        *counted.exclude(first=1, last=F("kept"), cursor=F("kept") + 1).values_list("batch_id", flat=True),
        *none.values_list("pk", flat=True),
        *batches.filter(wrong_end | out_of_range).values_list("pk", flat=True),
    }


def _faults_of(batch: Batch, positions: set[int]) -> Iterator[str]:
    passed = set(range(1, min(batch.next_position, batch.sale_count + 1)))
    if missing := passed - positions:
        yield f"pas de résultat pour les ventes {listed(ranges(missing))}, qui sont passées"
    if beyond := positions - passed:
        yield f"un résultat pour les ventes {listed(ranges(beyond))}, au-delà du curseur ({batch.next_position})"
    if not 1 <= batch.next_position <= batch.sale_count + 1:
        yield f"le curseur est à {batch.next_position} pour {batch.sale_count} vente(s)"
    elif batch.settled_at is None and batch.next_position > batch.sale_count:
        yield "toutes ses ventes sont passées et il n'est pas noté comme traité"
    elif batch.settled_at is not None and batch.next_position <= batch.sale_count:
        yield f"il est noté comme traité à la vente {batch.next_position} sur {batch.sale_count}"


def _advice(batch: Batch, positions: set[int]) -> str:
    """Say what it means, and name the sales without an outcome if the bytes still give their numbers."""
    missing = set(range(1, min(batch.next_position, batch.sale_count + 1))) - positions
    if not missing:
        return "La caisse est arrêtée à ce lot, ou lit un reçu qui ne dit pas tout."
    raws = [raw for kept in read_batches([batch.pk]) for raw in kept.sales()]
    numbers = [peek(raw)[0] for at, raw in enumerate(raws, start=1) if at in missing]
    named = f" ({listed(number for number in numbers if number)})" if any(numbers) else ""
    return (
        f"Personne ne sait ce que ces ventes sont devenues{named}. Faites-les renvoyer par la caisse : celles qui sont"
        " enregistrées reviendront comme déjà existantes, les autres seront enregistrées."
    )


def _proven_cursor(batch: Batch, positions: set[int]) -> bool:
    """Return whether the outcomes prove where the cursor belongs: they are 1 to n, and no document lies beyond."""
    count = len(positions)
    if positions != set(range(1, count + 1)) or count > batch.sale_count:
        return False
    return not Sale.objects.filter(batch=batch, position__gt=count).exists()


def _place_cursor(batch_id: int) -> dict[str, object] | None:
    if not hold_lane(Batch.objects.values_list("terminal_id", flat=True).get(pk=batch_id)):
        return None
    batch = Batch.objects.get(pk=batch_id)
    positions = set(SaleOutcome.objects.filter(batch_id=batch_id).values_list("position", flat=True))
    if not _proven_cursor(batch, positions) or not any(_faults_of(batch, positions)):
        return None
    before = {"next_position": batch.next_position, "settled_at": str(batch.settled_at)}
    batch.next_position = len(positions) + 1
    is_settled = batch.next_position > batch.sale_count
    batch.settled_at = (batch.settled_at or batch.moved_at) if is_settled else None
    batch.version += 1
    batch.save(update_fields=["next_position", "settled_at", "version"])
    return {"before": before, "after": {"next_position": batch.next_position, "settled_at": str(batch.settled_at)}}


COUNTS = {
    "created": Count("position", filter=Q(status__in=RECORDED)),
    "errors": Count("position", filter=~Q(status__in=RECORDED)),
    "duplicates": Count("position", filter=Q(status=OutcomeStatus.DUPLICATE)),
}
COLUMNS = {"created": "created_count", "errors": "error_count", "duplicates": "duplicate_count"}


@check(promise="P2", title="Les compteurs de chaque lot sont ceux de ses résultats")
def counters_match_outcomes(scope: Scope) -> Iterator[Finding]:
    """Compare a batch's counters with its outcomes."""
    outcomes = SaleOutcome.objects.filter(**scope.narrow(shop="batch__shop_id", terminal="batch__terminal_id"))
    counted = outcomes.values("batch_id", *(f"batch__{column}" for column in COLUMNS.values())).annotate(**COUNTS)
    right = {f"batch__{column}": F(name) for name, column in COLUMNS.items()}
    for row in counted.exclude(**right).order_by("batch_id"):
        differences = ", ".join(
            f"{row[f'batch__{column}']} au lieu de {row[name]} ({column})"
            for name, column in COLUMNS.items()
            if row[f"batch__{column}"] != row[name]
        )
        yield _miscounted(row["batch_id"], differences)
    empty = Batch.objects.filter(~Exists(SaleOutcome.objects.filter(batch_id=OuterRef("pk"))), **scope.narrow())
    for batch_id in empty.exclude(**dict.fromkeys(COLUMNS.values(), 0)).values_list("pk", flat=True):
        yield _miscounted(batch_id, "il compte des résultats et n'en a pas")


def _miscounted(batch_id: int, differences: str) -> Finding:
    return Finding(
        f"{name_batch(batch_id)} compte mal ses résultats : {differences}",
        "Le reçu de la caisse et les pages de la boutique annoncent de faux nombres de ventes enregistrées.",
        Repair("Recompter les résultats, et relever la version pour que la caisse relise son reçu.",
               partial(_recount, batch_id)),
    )  # fmt: skip


def _recount(batch_id: int) -> dict[str, object] | None:
    if not hold_lane(Batch.objects.values_list("terminal_id", flat=True).get(pk=batch_id)):
        return None
    batch = Batch.objects.get(pk=batch_id)
    counted = SaleOutcome.objects.filter(batch_id=batch_id).aggregate(**COUNTS)
    before = {column: getattr(batch, column) for column in COLUMNS.values()}
    after = {column: counted[name] for name, column in COLUMNS.items()}
    if before == after:
        return None
    for column, count in after.items():
        setattr(batch, column, count)
    batch.version += 1
    batch.save(update_fields=[*after, "version"])
    return {"before": before, "after": after}


@check(promise="P2", title="La version de chaque lot couvre ses résultats")
def versions_cover_outcomes(scope: Scope) -> Iterator[Finding]:
    """Find outcomes with a version above their batch's: a 304 hides them from the till."""
    outcomes = SaleOutcome.objects.filter(**scope.narrow(shop="batch__shop_id", terminal="batch__terminal_id"))
    ahead = outcomes.values("batch_id", "batch__version").annotate(highest=Max("version"))
    for row in ahead.filter(highest__gt=F("batch__version")).order_by("batch_id"):
        batch_id = row["batch_id"]
        yield Finding(
            f"{name_batch(batch_id)} est à la version {row['batch__version']}, un de ses résultats à la version"
                     f" {row['highest']}",
            "La caisse qui demande ce qui a changé peut ne jamais voir ce résultat.",
            Repair("Relever la version du lot au-dessus de celles de ses résultats.",
                   partial(_raise_version, batch_id)),
        )  # fmt: skip


def _raise_version(batch_id: int) -> dict[str, object] | None:
    if not hold_lane(Batch.objects.values_list("terminal_id", flat=True).get(pk=batch_id)):
        return None
    batch = Batch.objects.get(pk=batch_id)
    highest = SaleOutcome.objects.filter(batch_id=batch_id).aggregate(highest=Max("version"))["highest"]
    if highest is None or highest <= batch.version:
        return None
    before, batch.version = batch.version, highest + 1
    batch.save(update_fields=["version"])
    return {"before": {"version": before}, "after": {"version": batch.version}}
