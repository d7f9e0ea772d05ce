"""What a till reports of itself: its clock, its counter, and the sales that it still holds. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.example_till.history import total_of
from backend.example_till.records import UNREADABLE, Record


def heartbeat_of(held: Iterable[Record], *, now: datetime, sequence: int, currency: str) -> dict[str, Any]:
    """The body of `POST etat`. A till that holds nothing must say so: only then can the shop's day be complete."""
    held = list(held)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for record in held:
        if record.kind == "vente":
            amounts[record.document.get("devise") or currency] += _worth(record)
    moments = [moment for record in held if (moment := _moment_of(record)) is not None]
    held_report = {
        "nombre": len(held),
        "montants": [{"devise": code, "montant": amount} for code, amount in sorted(amounts.items()) if amount],
    }
    if moments:
        held_report["plus_ancienne"] = min(moments).isoformat(timespec="seconds")
    return {"heure": now.isoformat(timespec="milliseconds"), "a_envoyer": held_report, "sequence": sequence}


def describe_state(state: dict[str, Any]) -> list[str]:
    """What a person at this till should know of the server's answer, as French sentences."""
    sentences = []
    if (skew_s := state.get("ecart_horloge_s")) is not None:
        wrong_by = f"{abs(Decimal(skew_s)):.1f} s".replace(".", ",")
        direction = "en avance" if skew_s > 0 else "en retard"
        sentences.append(f"Horloge de la caisse : {direction} de {wrong_by}")
    for hole in state.get("trous") or []:
        some = f"{hole['de']}" if hole["de"] == hole["a"] else f"{hole['de']} à {hole['a']}"
        sentences.append(f"Trou : le serveur n'a jamais reçu {some} du compteur de cette caisse")
    waiting = state.get("en_attente") or {}
    if waiting.get("ventes"):
        sentences.append(f"Au serveur, {waiting['ventes']} vente(s) attendent leur enregistrement")
    if state.get("a_corriger"):
        sentences.append(f"En boutique, {state['a_corriger']} vente(s) à corriger")
    if state.get("pause"):
        sentences.append("La boutique est en pause : le serveur reçoit, et enregistre plus tard")
    return sentences


def _worth(record: Record) -> Decimal:
    """The amount of a held document. An unreadable one (`json_invalide`) may have no amount: it counts as 0."""
    try:
        return total_of(record.document)
    except UNREADABLE:
        return Decimal(0)


def _moment_of(record: Record) -> datetime | None:
    try:
        moment = datetime.fromisoformat(record.document["date_vente"])
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
