"""P13: the money of every document is written, is its rule's, and adds up to what its sale says was paid."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Abs

from backend.doctor.families import Document, Family, Odd, read_families, read_family
from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import money, name_document
from backend.sales.models import MoneyMovement, Sale, SaleKind
from backend.sales.posting.missing_money import complete_money

# SQLite adds decimals as floats; real differences are at least a cent.
TOLERANCE = Decimal("0.005")
ALL_MONEY = "tous les documents et tous les mouvements d'argent"
FOLLOWED = "les ventes suivies d'un autre document"
# Movements never change, so no repair can put one right.
BY_HAND = (
    "Comparez avec le reçu de la caisse et avec une sauvegarde ce qui a vraiment changé de mains, recomptez le tiroir"
    " de ce jour-là, et prévenez la comptabilité."
)


@check(promise="P13", title="L'argent de chaque document est écrit", cost="tous les documents")
def documents_have_their_money(scope: Scope) -> Iterator[Finding]:
    """Find what a process of the version before the ledger of money recorded while it still ran beside this one."""
    documents = Sale.objects.filter(paid_total=None, **scope.narrow()).order_by("pk")
    for document_id in documents.values_list("pk", flat=True):
        yield Finding(
            f"{name_document(document_id)} : son argent n'est pas écrit",
            "Un programme de la version précédente l'a enregistré : il manque dans les tiroirs, les recettes et les"
            " crédits. Arrêtez les processus de cette version-là, puis réparez.",
            Repair("Écrire son argent d'après les octets de son lot.", partial(_complete, document_id)),
        )


def _complete(document_id: int) -> dict[str, object] | None:
    """Write the money of the document's sale and of all that followed it, so that none is missing before another."""
    head = _lock_family(document_id)
    sale = Sale.objects.get(pk=document_id)
    if sale.paid_total is not None:
        return None
    complete_money(head)
    sale.refresh_from_db(fields=["paid_total"])
    return {"before": {"paid_total": None}, "after": {"paid_total": str(sale.paid_total)}}


def _lock_family(document_id: int) -> int:
    """Lock the document, after the sale that it follows, as postings do; return the id of the first of its family."""
    origin_id = Sale.objects.values_list("origin_id", flat=True).get(pk=document_id)
    head = document_id if origin_id is None else origin_id
    locked = Sale.objects.select_for_update().filter(pk__in={head, document_id}).order_by("pk")
    list(locked.values_list("pk", flat=True))
    return head


@check(promise="P13", title="Chaque document a fait bouger l'argent que sa règle dit", cost=ALL_MONEY)
def money_is_as_the_rule_says(scope: Scope) -> Iterator[Finding]:
    """A paid sale brings in its total, a void gives back what stands, a return what its goods leave to give back.

    Documents that carry the warning `paiements_differents` may differ. Sums in the database choose what is looked at.
    """
    for family in read_families(_unlike_their_total(scope) | _followed(scope)):
        if family.is_complete:
            for odd in family.odd_documents():
                yield Finding(f"{name_document(odd.document.pk)} : {_describe(odd)}", BY_HAND)


def _describe(odd: Odd) -> str:
    moved, due, currency = odd.moved, odd.due, odd.document.currency
    if odd.document.kind in (SaleKind.VOID, SaleKind.RETURN):
        return f"{money(-moved, currency)} rendu au lieu de {money(-due, currency)}"
    most = "" if odd.document.is_paid else "au plus "
    return f"{money(moved, currency)} reçu au lieu de {most}{money(due, currency)}"


def _unlike_their_total(scope: Scope) -> set[int]:
    """Return the sales whose own money is not their total where they are paid, or more than that, or less than none."""
    sales = MoneyMovement.objects.filter(document__kind=SaleKind.SALE, **_documents(scope))
    sums = sales.values("document_id", "document__total", "document__is_paid").annotate(own=Sum("value"))
    gaps = sums.annotate(gap=Abs(F("own") - F("document__total")), above=F("own") - F("document__total"))
    off = gaps.filter(Q(document__is_paid=True, gap__gt=TOLERANCE) | Q(above__gt=TOLERANCE) | Q(own__lt=-TOLERANCE))
    unmoved = _without_money(scope).filter(kind=SaleKind.SALE, is_paid=True).exclude(total=0)
    return {*off.order_by().values_list("document_id", flat=True), *unmoved.values_list("pk", flat=True)}


def _documents(scope: Scope) -> dict[str, int | None]:
    return scope.narrow(shop="document__shop_id", terminal="document__terminal_id")


def _without_money(scope: Scope) -> QuerySet[Sale]:
    moves = MoneyMovement.objects.filter(document=OuterRef("pk"))
    return Sale.objects.filter(~Exists(moves), **scope.narrow())


def _followed(scope: Scope) -> set[int]:
    """Return the documents that others follow; for a till, its own, whichever till recorded the follower."""
    of_origin = scope.narrow(shop="origin__shop_id", terminal="origin__terminal_id")
    followers = Sale.objects.filter(origin__isnull=False, **of_origin)
    return set(followers.values_list("origin_id", flat=True).distinct())


@check(promise="P13", title="Chaque vente sait ce qui en a été payé", cost=ALL_MONEY)
def sales_know_what_was_paid(scope: Scope) -> Iterator[Finding]:
    """Compare the sum stored on each document with the movements: a sale's own and those of what followed it."""
    for family in read_families(_unlike_their_sum(scope) | _followed(scope)):
        for document in family.documents if family.is_complete else ():
            added_up = family.added_up(document)
            if document.paid_total == added_up:
                continue
            stored = money(document.paid_total, document.currency)
            found = f"{name_document(document.pk)} : {stored} payé au lieu de {money(added_up, document.currency)}"
            means = "Ce qui en est encore dû, et ce qu'un retour en rendrait, est faux."
            # Otherwise a repair would confirm the loss of a movement.
            if any(family.odd_documents()):
                yield Finding(found, f"{means} {BY_HAND}")
            else:
                act = partial(_add_up, document.pk)
                yield Finding(found, means, Repair("Additionner de nouveau ses mouvements d'argent.", act))


def _unlike_their_sum(scope: Scope) -> set[int]:
    """Return the documents whose own money is not their `paid_total`, or the sales that they follow."""
    sums = MoneyMovement.objects.filter(**_documents(scope)).values(
        "document_id", "document__origin_id", "document__paid_total"
    )
    gaps = sums.annotate(own=Sum("value")).annotate(gap=Abs(F("own") - F("document__paid_total")))
    off = gaps.filter(gap__gt=TOLERANCE).order_by().values_list("document_id", "document__origin_id")
    unmoved = _without_money(scope).exclude(paid_total=0).values_list("pk", "origin_id")
    return {pk if origin_id is None else origin_id for pk, origin_id in (*off, *unmoved)}


def _add_up(document_id: int) -> dict[str, object] | None:
    """Write the sum of the movements. They are right: they cannot be changed, and they are what the rule says."""
    family = read_family(_lock_family(document_id))
    document = _find(family, document_id)
    if family is None or document is None or not family.is_complete or any(family.odd_documents()):
        return None
    before, after = document.paid_total, family.added_up(document)
    if before == after:
        return None
    Sale.objects.filter(pk=document_id).update(paid_total=after)
    return {"before": {"paid_total": str(before)}, "after": {"paid_total": str(after)}}


def _find(family: Family | None, document_id: int) -> Document | None:
    documents = [] if family is None else family.documents
    return next((document for document in documents if document.pk == document_id), None)


@check(promise="P13", title="Rien n'est payé au-delà de ce qui est dû", cost=FOLLOWED)
def payments_stay_within_what_is_owed(scope: Scope) -> Iterator[Finding]:
    of_origin = scope.narrow(shop="origin__shop_id", terminal="origin__terminal_id")
    payments = Sale.objects.filter(kind=SaleKind.PAYMENT, origin__isnull=False, **of_origin)
    for family in read_families(payments.values_list("origin_id", flat=True).distinct()):
        if family.is_complete:
            for document, moved, owed in family.excessive_payments():
                currency = document.currency
                yield Finding(
                    f"{name_document(document.pk)} : {money(moved, currency)} payé, {money(owed, currency)} était dû",
                    "Un client a payé deux fois, ou une autre vente. Comparez les paiements avec les reçus de la"
                    " caisse, et rendez le trop-perçu.",
                )
