"""Sales of Alice's shop, as tills send them, handed to the real intake and the real posting."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.inventory.models import Article
from backend.sales.intake import Caller, receive_batch
from backend.sales.models import Batch, Sale
from backend.sales.posting.runner import post_slice
from backend.shops.models import Device
from backend.testing import Cast

_counter = itertools.count(1)


def sale(article: Article, *, quantity: object = 1, price: object = 25000, **fields: Any) -> dict[str, Any]:
    """Return one sale of one line, sold now unless `fields` say otherwise."""
    line = {"article_id": article.pk, "quantite": quantity, "prix_unitaire": price}
    return {
        "numero_facture": f"FAC-{next(_counter):04}",
        "date_vente": datetime.now(UTC).isoformat(),
        "lignes": [line],
        **fields,
    }


def hand_over(device: Device, *sales: dict[str, Any]) -> Batch:
    """Let the device hand these sales over as one batch, and do not post it."""
    return receive_batch(caller=Caller(device=device), body=json.dumps(sales).encode()).batch


def post(device: Device, *sales: dict[str, Any]) -> Batch:
    """Let the device hand these sales over as one batch, and post it."""
    batch = hand_over(device, *sales)
    while post_slice(device.terminal_id).has_more:
        pass
    batch.refresh_from_db()
    return batch


def recorded(batch: Batch) -> Sale:
    return Sale.objects.get(batch=batch)


def fill(cast: Cast) -> dict[str, Batch]:
    """Give Alice's shop a day with some of everything: a mixed payment, a credit, refusals, and sales that wait."""
    now = datetime.now(UTC)
    mixed = [{"mode": "CASH", "montant": 46500}, {"mode": "MOBILE_MONEY", "devise": "USD", "montant": 10, "taux": 2850}]
    done = post(
        cast.device,
        sale(cast.rice, quantity=2, numero_facture="FAC-20241104-001"),
        sale(cast.oil, price=75000, numero_facture="FAC-20241104-002", paiements=mixed),
        sale(cast.rice, numero_facture="FAC-20241104-003", paye=False, client={"nom": "Maman Chantal"}),
        sale(cast.rice, numero_facture="FAC-20241104-004", quantity=1000, price=45),
        sale(cast.rice, numero_facture="FAC-20241104-005", date_vente=(now - timedelta(days=1)).isoformat()),
    )
    later = [sale(cast.rice, numero_facture="C2-001"), sale(cast.oil, numero_facture="C2-002")]
    waiting = hand_over(cast.token_device, *later)
    return {"done": done, "waiting": waiting}
