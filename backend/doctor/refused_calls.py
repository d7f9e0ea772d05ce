"""Describes refused calls, and guesses which known serial an unknown serial was meant to be."""

import difflib
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from backend.doctor.wording import moment, sentence
from backend.shops.models import Device, RefusedCall

REFUSED_CALL_AGE_MAX = timedelta(days=7)
REFUSED_CALLS_TOLD_MAX = 10
# With shorter common beginnings and ends, half a fleet would be similar.
SIMILAR_SIGNS_MIN = 6
# At most so many serials are compared letter by letter.
COMPARED_MAX = 20_000


def describe_refused_calls(refused_calls: QuerySet[RefusedCall]) -> list[str]:
    """Return a sentence for each kind of refused call, newest first."""
    lines = [
        sentence(
            f"{call.call} : {call.status} {call.code} « {call.detail} », {call.count} fois, la dernière"
            f" {moment(call.last_at)}{f' depuis {call.ip}' if call.ip else ''}"
        )
        for call in refused_calls.order_by("-last_at")[: REFUSED_CALLS_TOLD_MAX + 1]
    ]
    return (
        lines
        if len(lines) <= REFUSED_CALLS_TOLD_MAX
        else [*lines[:REFUSED_CALLS_TOLD_MAX], "Et d'autres, plus anciens."]
    )


def similar_serials(serial: str, *, limit: int) -> list[str]:
    """Return known serials that differ from this one by case, spaces or a missing end, the usual typing errors."""
    bare = serial.strip().lower()
    if len(bare) < SIMILAR_SIGNS_MIN:
        return []
    # LOWER on both sides: the column compares bytes, so a lookup such as iexact would not ignore case.
    known = Device.objects.annotate(lowered=Lower("serial")).exclude(serial=serial)
    near = known.filter(
        Q(lowered=bare)
        | Q(lowered__startswith=bare[:SIMILAR_SIGNS_MIN])
        | Q(lowered__endswith=bare[-SIMILAR_SIGNS_MIN:])
    )
    return list(near.order_by("serial").values_list("serial", flat=True)[:limit])


def look_alikes(serial: str, *, limit: int) -> list[str]:
    """Return the known serials that differ least from this one, letter by letter. Too slow to call for many serials."""
    known = Device.objects.order_by("pk").values_list("serial", flat=True)[:COMPARED_MAX]
    return difflib.get_close_matches(serial, known.iterator(), n=limit, cutoff=0.75)
