"""P11: a uuid names one unit, and returned goods came back to the unit that was sold."""

from collections.abc import Iterator

from django.db.models import Count, Exists, F, Model, OuterRef, Q

from backend.doctor.registry import Finding, Scope, check
from backend.doctor.wording import listed, name_document, name_row, name_unit
from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.sales.models import SaleKind, SaleLine

ALL_LINES = "toutes les lignes et tous les mouvements"


@check(promise="P11", title="Chaque article et chaque unité a un uuid à lui", is_global=True)
def uuids_name_one_thing(_scope: Scope) -> Iterator[Finding]:
    """Find uuids used twice, possible only without the unique index: a till's line could mean either unit."""
    rows: type[Model]
    for rows in (Article, ArticleUnit):
        repeated = rows.objects.values("uuid").annotate(count=Count("pk")).exclude(count=1)
        for uuid in repeated.order_by("uuid").values_list("uuid", flat=True):
            named = map(name_row, rows.objects.filter(uuid=uuid).order_by("pk"))
            yield Finding(
                f"uuid {uuid} : {listed(named)}",
                "Une caisse qui vend par cet uuid déstocke l'un ou l'autre. Gardez l'uuid à celui que les caisses"
                " connaissent, donnez-en un neuf à l'autre, et remettez l'index unique (manage.py migrate).",
            )


@check(promise="P11", title="Chaque ligne et chaque mouvement retrouve son unité", cost=ALL_LINES)
def rows_find_their_unit(scope: Scope) -> Iterator[Finding]:
    """Find rows whose unit does not exist, as after a restore without checks or without the foreign key."""
    unit = ArticleUnit.objects.filter(pk=OuterRef("unit_id"))
    lines = SaleLine.objects.filter(~Exists(unit), **scope.narrow(terminal="document__terminal_id"))
    movements = StockMovement.objects.filter(~Exists(unit), **scope.narrow(terminal="document__terminal_id"))
    rows: list[SaleLine | StockMovement] = [*lines.order_by("pk"), *movements.order_by("pk")]
    for row in rows:
        yield Finding(
            f"{name_row(row)} : l'unité n° {row.unit_id} n'existe plus",
            "Une annulation ou un retour ne retrouverait pas ce qui a été vendu. Rendez l'unité depuis une sauvegarde,"
            " avec son identifiant et son uuid.",
        )


@check(promise="P11", title="Ce qui revient, revient à l'unité qui a été vendue", cost="les lignes rendues")
def what_comes_back_was_sold(scope: Scope) -> Iterator[Finding]:
    """Lines of voids and returns refer to a line of their origin with the same unit; lines of sales refer to none."""
    lines = SaleLine.objects.filter(**scope.narrow(terminal="document__terminal_id"))
    is_sale = Q(document__kind=SaleKind.SALE)
    is_right = Q(origin_line__unit_id=F("unit_id"), origin_line__document_id=F("document__origin_id"))
    odd = Q(is_sale, origin_line__isnull=False) | Q(~is_sale, origin_line=None) | Q(~is_sale, ~is_right)
    for line in lines.filter(odd).select_related("origin_line", "document").order_by("pk"):
        yield Finding(
            f"{name_row(line)} ({name_unit(line.unit_id)}) : {_describe_origin(line)}",
            "La marchandise est revenue à une unité qui ne l'avait pas donnée : deux stocks sont faux. Comptez les deux"
            " unités, et corrigez par des ajustements.",
        )


def _describe_origin(line: SaleLine) -> str:
    first = line.origin_line
    if first is None:
        return "ne dit pas quelle ligne revient"
    if line.document.kind == SaleKind.SALE:
        return f"une vente, et dit rendre la ligne {first.position} de {name_document(first.document_id)}"
    return f"rend la ligne {first.position} de {name_document(first.document_id)}, {name_unit(first.unit_id)}"
