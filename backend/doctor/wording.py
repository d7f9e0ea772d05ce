"""The French of findings: names by which people find a row, moments, ages and counts.

The words are those of docs/terminals.md: a batch is a « lot ». The sweep is « la ronde », workers « les ouvriers ».
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Model

from backend.inventory.french_numbers import plain_number
from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.sales.models import Batch, MoneyMovement, Sale, SaleKind, SaleLine, SaleOutcome
from backend.shops.models import Shop, Terminal

LISTED_MAX = 10


def name_shop(shop_id: int | None) -> str:
    code = None if shop_id is None else Shop.objects.filter(pk=shop_id).values_list("code", flat=True).first()
    return f"boutique {code}" if code else f"boutique n° {shop_id} (inconnue)"


def name_till(terminal_id: int | None) -> str:
    name = (
        None if terminal_id is None else Terminal.objects.filter(pk=terminal_id).values_list("name", flat=True).first()
    )
    return f"caisse « {name} » (n° {terminal_id})" if name else f"caisse n° {terminal_id} (inconnue)"


def name_batch(batch_id: int) -> str:
    batch = Batch.objects.filter(pk=batch_id).values_list("receipt", "terminal_id").first()
    if batch is None:
        return f"lot n° {batch_id} (inconnu)"
    receipt, terminal_id = batch
    return f"lot n° {batch_id} (reçu {receipt}, {name_till(terminal_id)})"


def name_document(document_id: int | None) -> str:
    """Return e.g. `vente FAC-1 (document n° 12, FAC-BTQ-009-202411-000001)`."""
    document = None if document_id is None else Sale.objects.filter(pk=document_id).first()
    if document is None:
        return f"document n° {document_id} (inconnu)"
    kind = SaleKind(document.kind).label.lower() if document.kind in SaleKind.values else "document"
    registered = f", {document.registration_number}" if document.registration_number else ""
    return f"{kind} {document} (document n° {document.pk}{registered})"


def name_unit(unit_id: int) -> str:
    unit = ArticleUnit.objects.select_related("article").filter(pk=unit_id).first()
    if unit is None:
        return f"unité n° {unit_id} (inconnue)"
    return f"unité n° {unit.pk} (article {unit.article.code} « {unit.article.name} », {unit.mark or unit.level})"


def name_row(row: Model) -> str:
    """Return the name of a row of any table that the checks compare."""
    match row:
        case Sale():
            name = name_document(row.pk)
        case SaleLine():
            name = f"ligne {row.position} de {name_document(row.document_id)}"
        case MoneyMovement():
            name = f"mouvement d'argent {row.position} de {name_document(row.document_id)}"
        case SaleOutcome():
            name = f"résultat de la vente {row.position} du {name_batch(row.batch_id)}"
        case StockMovement():
            name = f"mouvement n° {row.pk} de {name_unit(row.unit_id)}"
        case ArticleUnit():
            name = name_unit(row.pk)
        case Article():
            name = f"article {row.code} « {row.name} » (n° {row.pk})"
        case _:
            name = f"{row._meta.db_table} n° {row.pk}"
    return name


def quantity(value: Decimal | None) -> str:
    """Return 2 for 2.000. Rounded to the stored places, because SQLite's sums of decimals are floats."""
    return plain_number((value or Decimal(0)).quantize(Decimal("0.001")))


def money(value: Decimal | None, currency: str) -> str:
    """Return `25000 CDF`, `10.5 USD`: as operators find it in the tables."""
    return f"{plain_number(value or Decimal(0))} {currency}"


def listed(values: Iterable[object]) -> str:
    """Return `3, 5 et 9`, cut after LISTED_MAX values."""
    texts = [str(value) for value in values]
    if len(texts) > LISTED_MAX:
        return f"{', '.join(texts[:LISTED_MAX])} et {len(texts) - LISTED_MAX} autres"
    return " et ".join(part for part in (", ".join(texts[:-1]), *texts[-1:]) if part)


def ranges(numbers: Iterable[int]) -> list[str]:
    """Return `["3", "5 à 9"]` for 3, 5, 6, 7, 8, 9."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(first) if first == last else f"{first} à {last}" for first, last in found]


def moment(at: datetime | None) -> str:
    """Return `2024-11-04 17:42 UTC`, in UTC because operators compare it with logs."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "jamais"


def age(duration: timedelta) -> str:
    """Return `3 jours`, `2 h` or `16 min`, rounded down."""
    if duration >= timedelta(days=2):
        return f"{duration.days} jours"
    if duration >= timedelta(hours=2):
        return f"{duration // timedelta(hours=1)} h"
    return f"{duration // timedelta(minutes=1)} min"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 lot`, `3 lots`, `2 signes de vie`, `0 vente`: in French zero takes the singular."""
    first, space, rest = noun.partition(" ")
    return f"{number} {noun if number < 2 else plural or f'{first}s{space}{rest}'}"


def sentence(text: str) -> str:
    """Return the text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
