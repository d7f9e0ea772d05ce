"""A till of the old kind: it knows only the legacy endpoint and takes any 2xx for "Synchronisation réussie".

It is wrong on purpose: it never reads an answer's body, sends no key, and empties its queue on any 2xx.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field


@dataclass
class LegacyTill:
    """`queue`: sales not sent yet. `believed_recorded`: the numbers that it has deleted after a 2xx."""

    base_url: str
    serial: str
    timeout_s: float = 60.0
    queue: list[dict] = field(default_factory=list)
    believed_recorded: list[str] = field(default_factory=list)
    message: str = ""

    def sell(self, number: str, *, article: int = 15, quantity: int = 1, price: str = "25000.00") -> None:
        line = {"article_id": article, "quantite": quantity, "prix_unitaire": price}
        self.queue.append({"numero_facture": number, "mode_paiement": "CASH", "paye": True, "lignes": [line]})

    def synchronise(self) -> bool:
        """Do what its button does: send everything in one post, once; return whether it got a 2xx."""
        request = urllib.request.Request(
            f"{self.base_url}/api/v2/simple/ventes/sync",
            data=json.dumps(self.queue).encode(),
            headers={"Content-Type": "application/json", "X-Device-Serial": self.serial},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s):
                self.message = "Synchronisation réussie"
        except urllib.error.HTTPError as refused:
            with refused:
                self.message = json.loads(refused.read()).get("error", "Erreur")
            return False
        except OSError as lost:
            self.message = f"Erreur réseau : {lost}"
            return False
        self.believed_recorded += [sale["numero_facture"] for sale in self.queue]
        self.queue.clear()
        return True
