"""P3 and P4: each sale is recorded once, duplicates and conflicts name the right sale, and successes have documents."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q

from backend.doctor.bodies import read_batches
from backend.doctor.registry import Finding, Scope, check
from backend.doctor.wording import listed, name_batch, name_document, name_till
from backend.sales.errors import SaleRefused
from backend.sales.models import RECORDED, OutcomeStatus, Sale, SaleKind, SaleOutcome
from backend.sales.wire.parser import ParsedSale, read_sale

KIND_OF = {
    OutcomeStatus.CREATED: SaleKind.SALE,
    OutcomeStatus.VOIDED: SaleKind.VOID,
    OutcomeStatus.RETURNED: SaleKind.RETURN,
    OutcomeStatus.PAID: SaleKind.PAYMENT,
}
COUNTED_TWICE = (
    "La même vente est comptée deux fois : stock et recette sont faux d'autant. Comparez les deux documents avec le"
    " ticket, et annulez celui qui est de trop ; rien n'est effacé."
)


@check(promise="P3", title="Le même contenu sous le même numéro n'est enregistré qu'une fois")
def contents_are_recorded_once(scope: Scope) -> Iterator[Finding]:
    """Find documents of one till with the same number and fingerprint."""
    same = Sale.objects.filter(**scope.narrow()).values("terminal_id", "number", "fingerprint").exclude(fingerprint="")
    for row in same.annotate(count=Count("pk")).filter(count__gt=1).order_by("terminal_id", "number"):
        key = {name: row[name] for name in ("terminal_id", "number", "fingerprint")}
        ids = Sale.objects.filter(**key).order_by("pk").values_list("pk", flat=True)
        yield Finding(
            f"{name_till(row['terminal_id'])} : {row['count']} documents du numéro {row['number']} ont le même contenu"
            f" ({listed(map(name_document, ids))})",
            COUNTED_TWICE,
        )


@check(promise="P3", title="Les variantes d'un numéro se suivent")
def variants_count_up(scope: Scope) -> Iterator[Finding]:
    """A number's variants are 1, 2, 3…: a repeated variant was recorded twice, a missing variant is lost."""
    variants = Sale.objects.filter(**scope.narrow()).values("terminal_id", "number")
    counted = variants.annotate(count=Count("variant"), first=Min("variant"), last=Max("variant"))
    for row in counted.exclude(first=1, last=F("count")).order_by("terminal_id", "number"):
        known = Sale.objects.filter(terminal_id=row["terminal_id"], number=row["number"]).order_by("variant", "pk")
        yield Finding(
            f"{name_till(row['terminal_id'])} : les variantes du numéro {row['number']} sont"
            f" {listed(known.values_list('variant', flat=True))}"
            f" ({listed(map(name_document, known.values_list('pk', flat=True)))})",
            "Deux ventes portent une même variante, ou une vente a disparu. Cherchez la vente manquante dans une"
            " sauvegarde ; si deux ventes sont la même, annulez celle qui est de trop.",
        )


@check(promise="P3", title="Un doublon nomme la vente dont il est le doublon")
def duplicates_name_their_first(scope: Scope) -> Iterator[Finding]:
    """Find duplicates that name no document, themselves, or one of another till, number or content. The till has purged
    such a sale."""
    duplicates = SaleOutcome.objects.filter(status=OutcomeStatus.DUPLICATE, **scope.narrow())
    odd = (
        Q(document=None)
        | ~Q(document__terminal_id=F("terminal_id"))
        | ~Q(document__number=F("number"))
        | ~Q(document__fingerprint=F("fingerprint"))
        | Q(document__batch_id=F("batch_id"), document__position=F("position"))
    )
    for outcome in duplicates.filter(odd).select_related("document").order_by("batch_id", "position"):
        fault = _fault_of_duplicate(outcome)
        if fault:
            yield Finding(
                f"vente {outcome.position} du {name_batch(outcome.batch_id)}, numéro {outcome.number} : {fault}",
                "La caisse a lu « Vente déjà existante » et a pu effacer une vente que le serveur n'a pas. Ses octets"
                " sont dans le lot : comparez-les au document, et saisissez la vente si elle manque.",
            )


def _fault_of_duplicate(outcome: SaleOutcome) -> str:
    document = outcome.document
    if document is None:
        return "un doublon qui ne nomme aucune vente"
    named = name_document(document.pk)
    if (document.terminal_id, document.number) != (outcome.terminal_id, outcome.number):
        return f"un doublon qui nomme une vente d'une autre caisse ou d'un autre numéro, {named}"
    if (document.batch_id, document.position) == (outcome.batch_id, outcome.position):
        return f"un doublon qui se nomme lui-même, {named}"
    if document.fingerprint != outcome.fingerprint and not _is_told_otherwise(outcome, document):
        return f"un doublon dont le contenu n'est pas celui de {named}"
    return ""


def _is_told_otherwise(outcome: SaleOutcome, document: Sale) -> bool:
    """Return whether the bytes of both are the same sale with two fingerprints, because a unit's identifier or the rule
    for fingerprints has changed."""
    ours = _read(outcome.batch_id, outcome.position)
    first = _read(document.batch_id, document.position)
    return ours is not None and first is not None and _content(ours) == _content(first)


def _read(batch_id: int | None, position: int | None) -> ParsedSale | None:
    """Return the sale that the till sent; None if its bytes are missing or cannot be read."""
    if batch_id is None or position is None:
        return None
    raws = [raw for kept in read_batches([batch_id]) for raw in kept.sales()]
    if not 1 <= position <= len(raws):
        return None
    try:
        return read_sale(raws[position - 1])
    except SaleRefused:
        return None


def _content(sale: ParsedSale) -> tuple[object, ...]:
    """Return what a fingerprint covers, without the lines' identifiers, which may name other units by now."""
    lines: list[tuple[Decimal | None, ...]] = [(one.quantity, one.unit_price, one.discount) for one in sale.lines]
    returned = [(one.line, one.quantity) for one in sale.returned]
    amount = sale.total if sale.kind == SaleKind.PAYMENT else None
    return sale.kind, sale.origin, sale.date_text, sale.currency, sale.discount, amount, lines, returned


@check(promise="P3", title="Un conflit nomme l'autre vente, et n'est pas la même")
def conflicts_name_their_rival(scope: Scope) -> Iterator[Finding]:
    """Find conflicts that name no document, or a document with the same content."""
    conflicts = SaleOutcome.objects.filter(status=OutcomeStatus.CONFLICT, **scope.narrow())
    odd = (
        Q(document=None)
        | ~Q(document__terminal_id=F("terminal_id"))
        | ~Q(document__number=F("number"))
        | Q(document__fingerprint=F("fingerprint"))
    )
    for outcome in conflicts.filter(odd).order_by("batch_id", "position"):
        rival = "aucune vente" if outcome.document_id is None else name_document(outcome.document_id)
        yield Finding(
            f"vente {outcome.position} du {name_batch(outcome.batch_id)}, numéro {outcome.number} : un conflit qui"
            f" nomme {rival}",
            "La personne qui corrige ne peut pas comparer les deux ventes. Cherchez l'autre par son numéro ;"
            " « manage.py retry » fait rejuger celle-ci.",
        )


@check(promise="P4", title="Rien n'est dit enregistré sans son document")
def successes_have_documents(scope: Scope) -> Iterator[Finding]:
    """Find outcomes created, voided, returned or paid whose document is missing or belongs to another sale."""
    is_own = Q(
        document__batch_id=F("batch_id"),
        document__position=F("position"),
        document__number=F("number"),
        document__fingerprint=F("fingerprint"),
    )
    for status, kind in KIND_OF.items():
        outcomes = SaleOutcome.objects.filter(status=status, **scope.narrow())
        odd = outcomes.filter(Q(document=None) | ~(is_own & Q(document__kind=kind)))
        for outcome in odd.order_by("batch_id", "position"):
            is_named = outcome.document_id is not None
            named = f"nomme {name_document(outcome.document_id)}" if is_named else "ne nomme aucun document"
            yield Finding(
                f"vente {outcome.position} du {name_batch(outcome.batch_id)}, numéro {outcome.number}, est dite"
                f" « {outcome.get_status_display()} » et {named}",
                "La caisse a effacé cette vente, et la boutique ne l'a pas, ou en montre une autre. Ses octets sont"
                " dans le lot : cherchez-la par son numéro, rendez-la depuis une sauvegarde ou saisissez-la.",
            )


@check(promise="P4", title="Chaque document est dit enregistré à la caisse")
def documents_have_successes(scope: Scope) -> Iterator[Finding]:
    """Find documents whose place in the batch has no successful outcome: the till was told something else."""
    successes = SaleOutcome.objects.filter(
        batch_id=OuterRef("batch_id"), position=OuterRef("position"), status__in=RECORDED
    )
    silent = Sale.objects.filter(~Exists(successes), batch__isnull=False, **scope.narrow())
    for document_id, batch_id, position in silent.order_by("pk").values_list("pk", "batch_id", "position"):
        assert batch_id is not None, "filtered out by the query"
        at_place = SaleOutcome.objects.filter(batch_id=batch_id)
        outcome = None if position is None else at_place.filter(position=position).first()
        status = f"« {outcome.get_status_display()} »" if outcome else "rien"
        yield Finding(
            f"{name_document(document_id)} est dans les livres, et le résultat de la vente {position} du"
            f" {name_batch(batch_id)} dit {status}",
            "La vente compte dans le stock et la recette, et la caisse la croit en attente ou refusée. Ne la faites pas"
            " saisir de nouveau ; renvoyée telle quelle, elle reviendra comme déjà existante.",
        )
