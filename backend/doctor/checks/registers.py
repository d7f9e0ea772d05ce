"""P7: registration numbers run 1, 2, 3… in each shop's month, and a closed month takes none."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from backend.db.change_cursors import OVERLAP
from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import listed, moment, name_document, name_shop, ranges
from backend.sales.models import InvoiceSequence, Sale

# How many documents are read at a time where each number's text is checked.
DOCUMENTS_AT_ONCE = 2000
# A closing and a posting take their times before they wait for the month's row, on machines whose clocks differ.
CLOSING_LEEWAY = timedelta(seconds=OVERLAP.total_seconds())
# The prefix, the same for all kinds; the shop's code on that day; the month; the number.
TEXT = re.compile(r"FAC-.+-(\d{4})(\d{2})-(\d{6,})")


def _month(row: Mapping[str, Any]) -> str:
    return f"registre {row['register_year']}-{row['register_month']:02} de la {name_shop(row['shop_id'])}"


@check(promise="P7", title="Les numéros d'enregistrement de chaque mois se suivent sans trou")
def register_has_no_gap(scope: Scope) -> Iterator[Finding]:
    """Each shop and month has the numbers 1 to n, each once. For one till, its shop's register is checked."""
    documents = Sale.objects.filter(register_number__isnull=False, **scope.narrow(terminal=None))
    months = documents.values("shop_id", "register_year", "register_month").annotate(
        count=Count("register_number"),
        distinct=Count("register_number", distinct=True),
        first=Min("register_number"),
        last=Max("register_number"),
    )
    for row in months.exclude(first=1, last=F("count"), distinct=F("count")).order_by(
        "shop_id", "register_year", "register_month"
    ):
        key = {name: row[name] for name in ("shop_id", "register_year", "register_month")}
        numbers = Counter(Sale.objects.filter(**key).values_list("register_number", flat=True))
        missing = ranges(number for number in range(1, row["last"] + 1) if not numbers[number])
        repeated = [number for number, count in sorted(numbers.items()) if count > 1]
        faults = [f"il manque {listed(missing)}"] if missing else []
        faults += [f"{listed(repeated)} donné(s) plusieurs fois"] if repeated else []
        yield Finding(
            f"{_month(row)} : {' ; '.join(faults) or 'un numéro sous 1'}",
            "Le registre du mois ne tient pas devant un contrôle : un document a disparu, ou a changé de mois ou de"
            " boutique. Cherchez-le dans une sauvegarde et dans les lots des caisses ; ne renumérotez rien.",
        )


@check(promise="P7", title="Le compteur de chaque mois est à son dernier numéro")
def sequences_know_the_last_number(scope: Scope) -> Iterator[Finding]:
    """A sequence behind its register gives numbers that are used already, and every posting of the shop fails."""
    narrow = scope.narrow(terminal=None)
    register = Sale.objects.filter(
        shop_id=OuterRef("shop_id"), register_year=OuterRef("year"), register_month=OuterRef("month")
    ).order_by("-register_number")
    sequences = InvoiceSequence.objects.filter(**narrow).annotate(
        highest=Coalesce(Subquery(register.values("register_number")[:1]), 0)
    )
    for one in sequences.exclude(highest=F("last_number")).order_by("shop_id", "year", "month"):
        month = {"shop_id": one.shop_id, "register_year": one.year, "register_month": one.month}
        if one.last_number < one.highest:
            yield _behind(month, f"le compteur est à {one.last_number}, le dernier numéro donné est {one.highest}")
        else:
            yield Finding(
                f"{_month(month)} : le compteur est à {one.last_number}, le dernier document porte {one.highest}",
                "Les derniers numéros du mois ont disparu avec leurs documents. Cherchez-les dans une sauvegarde et"
                " dans les lots des caisses ; ne redescendez pas le compteur : ces numéros sont sur des papiers.",
            )
    known = InvoiceSequence.objects.filter(
        shop_id=OuterRef("shop_id"), year=OuterRef("register_year"), month=OuterRef("register_month")
    )
    numbered = Sale.objects.filter(register_number__isnull=False, **narrow).filter(~Exists(known))
    for row in numbered.values("shop_id", "register_year", "register_month").distinct():
        yield _behind(row, "pas de compteur (sales_invoicesequence), alors que des numéros sont donnés")


def _behind(month: Mapping[str, Any], difference: str) -> Finding:
    return Finding(
        f"{_month(month)} : {difference}",
        "Le prochain numéro serait déjà pris : les ventes de la boutique échoueraient une à une.",
        Repair(
            "Porter le compteur au dernier numéro donné ; il n'est jamais abaissé.", partial(_raise_sequence, month)
        ),
    )


def _raise_sequence(month: Mapping[str, Any]) -> dict[str, object] | None:
    shop_id, year, number = month["shop_id"], month["register_year"], month["register_month"]
    sequence, _ = InvoiceSequence.objects.select_for_update().get_or_create(shop_id=shop_id, year=year, month=number)
    highest = Sale.objects.filter(**month).aggregate(highest=Max("register_number"))["highest"] or 0
    if sequence.last_number >= highest:
        return None
    before, sequence.last_number = sequence.last_number, highest
    sequence.save(update_fields=["last_number"])
    return {"before": {"last_number": before}, "after": {"last_number": highest}}


@check(promise="P7", title="Chaque document a son numéro d'enregistrement", cost="tous les documents")
def documents_are_registered(scope: Scope) -> Iterator[Finding]:
    """Find documents without a number, with part of one, or with a text that differs from the register's columns.

    The shop's code in the text is not compared: it may have changed since.
    """
    documents = Sale.objects.filter(**scope.narrow()).order_by("pk")
    columns = ("pk", "registration_number", "register_year", "register_month", "register_number")
    last = 0
    while rows := list(documents.filter(pk__gt=last).values_list(*columns)[:DOCUMENTS_AT_ONCE]):
        for document_id, text, *register in rows:
            match = TEXT.fullmatch(text)
            if match and list(map(int, match.groups())) == register:
                continue
            registered = "rien" if None in register else f"{register[0]}-{register[1]:02} n° {register[2]}"
            yield Finding(
                f"{name_document(document_id)} porte {f'« {text} »' if text else 'aucun numéro'}, le registre dit"
                f" {registered}",
                "Le papier du client et le registre de la boutique ne disent pas la même chose. Comparez avec une"
                " sauvegarde ; le bon numéro est celui qui ne laisse pas de trou dans le mois.",
            )
        last = rows[-1][0]


@check(promise="P7", title="Un mois clos n'a reçu aucun document depuis")
def closed_months_took_none(scope: Scope) -> Iterator[Finding]:
    """Find documents in a closed month's register that were recorded after the closing."""
    closings = InvoiceSequence.objects.filter(
        shop_id=OuterRef("shop_id"), year=OuterRef("register_year"), month=OuterRef("register_month")
    )
    documents = Sale.objects.filter(**scope.narrow()).annotate(closed_at=Subquery(closings.values("closed_at")[:1]))
    late = documents.filter(closed_at__isnull=False, recorded_at__gt=F("closed_at") + CLOSING_LEEWAY)
    for document in late.order_by("pk"):
        yield Finding(
            f"{name_document(document.pk)}, enregistré {moment(document.recorded_at)}, est dans le registre"
            f" {document.register_year}-{document.register_month:02}, clos {moment(document.closed_at)}",
            "Les chiffres d'un mois déjà déclaré ont changé. Prévenez la comptabilité : une annulation et une nouvelle"
            " vente vont dans le mois ouvert.",
        )


@check(promise="P7", title="Le jour de chaque document est dans le mois de son registre")
def days_lie_in_their_month(scope: Scope) -> Iterator[Finding]:
    numbered = Sale.objects.filter(register_number__isnull=False, **scope.narrow())
    odd = ~Q(business_day__year=F("register_year")) | ~Q(business_day__month=F("register_month"))
    for document in numbered.filter(odd).order_by("pk"):
        yield Finding(
            f"{name_document(document.pk)} compte pour le {document.business_day:%Y-%m-%d} et est au registre"
            f" {document.register_year}-{document.register_month:02}",
            "Les totaux du jour et ceux du registre du mois ne s'accordent pas. Comparez avec une sauvegarde.",
        )
