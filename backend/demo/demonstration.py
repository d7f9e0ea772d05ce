"""What a demo start shows: a few sales handed over as by a till, their outcomes, and commands to try."""

import json
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from backend.demo.loader import SERIAL
from backend.example_till import Report, Till

SETTLED_S_MAX = 60
# Not an article of contract/, whose examples state the stock.
SOAP = {"article_id": 20, "prix_unitaire": 1500}
SUGAR = {"article_id": 19, "prix_unitaire": 82000}
MEANINGS = {
    "created": "enregistrée",
    "duplicate": "déjà enregistrée",
    "envoyer": "pas encore envoyée",
    "attendre": "en attente du serveur",
    "garder": "à corriger en boutique",
    "corriger": "à corriger à la caisse",
}


def show_demo_batch(*, folder: Path, base_url: str, say: Callable[[str], None]) -> None:
    """Make two sales offline, hand them over, wait until they are settled and print their outcomes."""
    with Till(folder / "caisse-demo.sqlite3", base_url, SERIAL, prefix="DEMO") as till:
        till.sell([SOAP | {"quantite": 2}])
        till.sell([SUGAR | {"quantite": 1}, SOAP | {"quantite": 3}], mode_paiement="MOBILE_MONEY")
        report = till.sync(timeout_s=SETTLED_S_MAX)
    for sentence in describe(report):
        say(f"  {sentence}")


def describe(report: Report) -> list[str]:
    """Return one French sentence for each sale that was settled or is still held."""
    sentences = [
        f"{sale.number} : {MEANINGS.get(sale.status, sale.status)}, {sale.registration_number}"
        for sale in report.recorded
    ]
    for sale in report.pending:
        reason = f" ({sale.sentence})" if sale.sentence else ""
        sentences.append(f"{sale.number} : {MEANINGS.get(sale.state, sale.state)}{reason}")
    if not report.settled:
        sentences.append(report.problem or f"Tout n'est pas réglé après {SETTLED_S_MAX} s : voir les journaux.")
    return sentences


def curl_lines(*, base_url: str) -> list[str]:
    """Return two commands to paste: one hands over a sale under a new number, the other asks for its outcome."""
    number = f"FAC-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    sale = json.dumps([{"type": "vente", "numero_facture": number, "lignes": [SOAP | {"quantite": 1}]}])
    device = f"X-Device-Serial: {SERIAL}"
    base = f"{base_url}/api/v2/simple/ventes"
    post = ["curl", "-s", "-H", device, "-H", "Content-Type: application/json", "-d", sale, f"{base}/sync"]
    ask = ["curl", "-s", "-H", device, f"{base}/statut?numero_facture={number}"]
    return [shlex.join(post), shlex.join(ask)]
