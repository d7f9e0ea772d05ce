"""What is known of calls that were refused, and which known serial an unknown one was meant to be."""

import difflib
from datetime import timedelta

from django.db.models import Q, QuerySet

from backend.ops.doctor.phrases import moment, sentence
from backend.shops.models import Device, Knock

KNOCK_AGE_MAX = timedelta(days=7)
KNOCKS_TOLD_MAX = 10
# Shorter beginnings and ends would make half a fleet alike.
SIMILAR_SIGNS_MIN = 6
# So many serials are compared letter by letter; the index finds the likely ones in any fleet.
COMPARED_MAX = 20_000


def tell_knocks(knocks: QuerySet[Knock]) -> list[str]:
    """Return a sentence for each kind of refused call, newest first."""
    lines = [
        sentence(
            f"{knock.call} : {knock.status} {knock.code} « {knock.detail} », {knock.count} fois, la dernière"
            f" {moment(knock.last_at)}{f' depuis {knock.ip}' if knock.ip else ''}"
        )
        for knock in knocks.order_by("-last_at")[: KNOCKS_TOLD_MAX + 1]
    ]
    return lines if len(lines) <= KNOCKS_TOLD_MAX else [*lines[:KNOCKS_TOLD_MAX], "Et d'autres, plus anciens."]


def similar_serials(serial: str, *, limit: int) -> list[str]:
    """Return known serials that differ from this one by case, spaces, signs or a lost end: how serials are mistyped."""
    bare = "".join(sign for sign in serial if sign.isalnum())
    if len(bare) < SIMILAR_SIGNS_MIN:
        return []
    near = Device.objects.filter(
        Q(serial__iexact=serial.strip())
        | Q(serial__istartswith=bare[:SIMILAR_SIGNS_MIN])
        | Q(serial__iendswith=bare[-SIMILAR_SIGNS_MIN:])
    )
    return list(near.exclude(serial=serial).order_by("serial").values_list("serial", flat=True)[:limit])


def look_alikes(serial: str, *, limit: int) -> list[str]:
    """Return the known serials that differ least from this one, letter by letter: for one serial, not for a list."""
    known = Device.objects.order_by("pk").values_list("serial", flat=True)[:COMPARED_MAX]
    return difflib.get_close_matches(serial, known.iterator(), n=limit, cutoff=0.75)
