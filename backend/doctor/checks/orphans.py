"""P8: « ventes orphelines », rows whose shop, till or device does not exist.

The tables of sales have no foreign keys for these columns (docs/locking.md says why), so only this check finds orphans:
they are on no page and in no total, and the till was told that all went well.
"""

from collections.abc import Iterator
from functools import partial

from django.db.models import Count, Exists, Model, OuterRef, Q

from backend.doctor.checks.walls import ALL_ROWS
from backend.doctor.locks import hold_lane
from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import count, name_document, name_shop
from backend.inventory.models import StockMovement
from backend.sales.models import (
    Batch,
    DayTotal,
    Heartbeat,
    InvoiceSequence,
    Lane,
    MoneyMovement,
    Sale,
    SaleLine,
    SaleOutcome,
    TillClosing,
)
from backend.shops.models import Device, Shop, Terminal

INVISIBLE = (
    "Elles arrivent, la caisse affiche « Synchronisation réussie », et aucune page ne les montre : le chiffre"
    " d'affaires est faux d'autant."
)
PARENTS: dict[str, tuple[type[Model], str]] = {
    "shop_id": (Shop, "la boutique"),
    "terminal_id": (Terminal, "la caisse"),
    "device_id": (Device, "l'appareil"),
}
# (table, what its rows are called, columns); a sale's shop has its own check.
ROWS: tuple[tuple[type[Model], str, tuple[str, ...]], ...] = (
    (Sale, "document", ("terminal_id", "device_id")),
    (StockMovement, "mouvement de stock", ("shop_id",)),
    (Batch, "lot", ("shop_id", "terminal_id", "device_id")),
    (MoneyMovement, "mouvement d'argent", ("terminal_id",)),
    (SaleOutcome, "résultat", ("terminal_id",)),
    (Lane, "voie", ("terminal_id",)),
    (InvoiceSequence, "compteur de registre", ("shop_id",)),
    (DayTotal, "total de journée", ("shop_id",)),
    (TillClosing, "clôture de caisse", ("shop_id", "terminal_id", "device_id")),
    (Heartbeat, "signe de vie", ("shop_id", "terminal_id", "device_id")),
)


def _missing(column: str) -> Q:
    """Return the condition that a column names a row that does not exist. An empty key names none."""
    parents = PARENTS[column][0]._default_manager
    return Q(Q(**{f"{column}__isnull": False}), ~Exists(parents.filter(pk=OuterRef(column))))


@check(promise="P8", title="Aucune vente n'est orpheline : chacune a sa boutique", cost="tous les documents")
def sales_have_their_shop(scope: Scope) -> Iterator[Finding]:
    """For one shop, filter by its tills: an orphan no longer names its shop."""
    orphans = Sale.objects.filter(_missing("shop_id"), **_by_tills(scope)).order_by("pk")
    for document_id, shop_id in orphans.values_list("pk", "shop_id"):
        home = _home_of(document_id)
        repair = None
        if home:
            repair = Repair(
                f"Rendre la vente à la {name_shop(home)}, celle de sa caisse, de son lot, de ses articles et de son"
                " numéro d'enregistrement.",
                partial(_bring_home, document_id),
            )
        advice = "" if home else " Rien ne prouve à quelle boutique elle est : comparez avec une sauvegarde."
        yield Finding(
            f"vente orpheline : {name_document(document_id)} nomme la boutique n° {shop_id}, qui n'existe pas",
            INVISIBLE + advice,
            repair,
        )


def _by_tills(scope: Scope) -> dict[str, int | None]:
    return scope.narrow(shop="terminal__shop_id")


def _home_of(document_id: int) -> int | None:
    """Return the shop of an orphan if its till, batch, origin, units and registration number all agree on it."""
    sale = Sale.objects.select_related("batch", "origin").get(pk=document_id)
    shop = Shop.objects.filter(terminals=sale.terminal_id).first()
    if shop is None or Shop.objects.filter(pk=sale.shop_id).exists():
        return None
    hung_on = {parent.shop_id for parent in (sale.batch, sale.origin) if parent is not None}
    hung_on.update(SaleLine.objects.filter(document=sale).values_list("unit__shop_id", flat=True))
    year, month, number = sale.register_year, sale.register_month, sale.register_number
    if year is None or month is None or number is None:
        return None
    is_given = InvoiceSequence.objects.filter(shop=shop, year=year, month=month, last_number__gte=number).exists()
    is_free = not Sale.objects.filter(
        shop=shop, register_year=year, register_month=month, register_number=number
    ).exists()
    is_named = sale.registration_number.startswith(f"FAC-{shop.code}-")
    return shop.pk if hung_on == {shop.pk} and is_given and is_free and is_named else None


def _bring_home(document_id: int) -> dict[str, object] | None:
    sale = Sale.objects.get(pk=document_id)
    if not hold_lane(sale.terminal_id):
        return None
    sale = Sale.objects.select_for_update().get(pk=document_id)
    home = _home_of(document_id)
    if home is None:
        return None
    before, sale.shop_id = sale.shop_id, home
    sale.save(update_fields=["shop"])
    return {"before": {"shop": before}, "after": {"shop": home}}


@check(promise="P8", title="Les lignes, mouvements d'argent et résultats ont la boutique de leur vente", cost=ALL_ROWS)
def parts_of_sales_have_their_shop(scope: Scope) -> Iterator[Finding]:
    for rows, noun, parent in (
        (SaleLine, "ligne", "document"),
        (MoneyMovement, "mouvement d'argent", "document"),
        (SaleOutcome, "résultat", "batch"),
    ):
        orphans = rows._default_manager.filter(_missing("shop_id"), **scope.narrow(
            shop=f"{parent}__shop_id", terminal=f"{parent}__terminal_id"
        ))  # fmt: skip
        grouped = orphans.values(f"{parent}_id", "shop_id", f"{parent}__shop_id").annotate(rows=Count("position"))
        for row in grouped.order_by(f"{parent}_id", "shop_id"):
            parent_id, home = row[f"{parent}_id"], row[f"{parent}__shop_id"]
            of = name_document(parent_id) if parent == "document" else f"lot n° {parent_id}"
            repair = None
            # The database refuses any change of a movement.
            if rows is not MoneyMovement and Shop.objects.filter(pk=home).exists():
                act = partial(_join_parent, rows, parent, parent_id)
                repair = Repair(f"Leur donner la {name_shop(home)}, celle de ce qui les porte.", act)
            yield Finding(
                f"{count(row['rows'], noun)} de {of} : la boutique n° {row['shop_id']} n'existe pas", INVISIBLE, repair
            )


def _join_parent(rows: type[Model], parent: str, parent_id: int) -> dict[str, object] | None:
    """Give the orphans among the rows of a document or batch the shop of that document or batch."""
    holder = (Sale if parent == "document" else Batch).objects.get(pk=parent_id)
    if not hold_lane(holder.terminal_id):
        return None
    holder.refresh_from_db(fields=["shop"])
    if not Shop.objects.filter(pk=holder.shop_id).exists():
        return None
    orphans = rows._default_manager.filter(_missing("shop_id"), **{f"{parent}_id": parent_id})
    if rows is SaleLine:
        orphans = orphans.filter(unit__shop_id=holder.shop_id)
    positions = list(orphans.order_by("position").values_list("position", flat=True))
    rows._default_manager.filter(position__in=positions, **{f"{parent}_id": parent_id}).update(shop_id=holder.shop_id)
    return {"after": {"shop": holder.shop_id, "positions": positions}} if positions else None


@check(promise="P8", title="Aucune ligne ne nomme une boutique, une caisse ou un appareil absents", cost=ALL_ROWS)
def rows_have_their_parents(scope: Scope) -> Iterator[Finding]:
    for rows, noun, columns in ROWS:
        fields = {field.attname for field in rows._meta.concrete_fields}
        for column in columns:
            parent, word = PARENTS[column]
            narrow = {} if parent is Shop else scope.narrow(
                shop="shop_id" if "shop_id" in fields else "terminal__shop_id",
                terminal="terminal_id" if "terminal_id" in fields else None,
            )  # fmt: skip
            if parent is Shop and (scope.shop or scope.terminal):
                continue
            orphans = rows._default_manager.filter(_missing(column), **narrow)
            for row in orphans.values(column).annotate(rows=Count(column)).order_by(column):
                yield Finding(
                    f"{count(row['rows'], noun)} ({rows._meta.db_table}) : {word} n° {row[column]} n'existe pas",
                    "Ces lignes ne sont à personne : ce qu'elles nomment a été effacé sans elles, ou la base a été"
                    " restaurée en partie. Rendez la ligne qui manque depuis une sauvegarde.",
                )
