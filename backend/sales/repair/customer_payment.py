"""One payment of a customer over several sales: a `paiement` for each sale, the oldest first.

Each document is a transaction of its own, under a key that the form's key and the sale make. A process that dies
between two of them leaves the first ones recorded, and the same form sent again records the rest.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User

from backend.sales.models import Batch, Sale, SaleKind, SaleOutcome
from backend.sales.repair.back_office import RefusedAtOnce, office_device, record_or_refuse
from backend.shops.models import Shop

KEY_LENGTH = 24


@dataclass(frozen=True)
class Share:
    """What one sale gets of a payment, in the sale's currency."""

    sale_id: int
    amount: Decimal


@dataclass(frozen=True)
class RecordedShare:
    """A share and its document. Without one it waits, or `refusal` says why it was refused."""

    share: Share
    document: Sale | None = None
    refusal: SaleOutcome | None = None


def share_out(amount: Decimal, owed: Iterable[tuple[int, Decimal]]) -> list[Share]:
    """Share an amount out over sales: (id, what is owed), in order; each is paid in full before the next gets any."""
    shares = []
    left = amount
    for sale_id, one in owed:
        part = min(left, one)
        if part <= 0:
            break
        shares.append(Share(sale_id, part))
        left -= part
    return shares


def record_shares(
    *,
    shop: Shop,
    user: User,
    shares: Sequence[Share],
    key: str,
    mode: str,
    drawer: dict[str, object],
    ip: str | None = None,
) -> list[RecordedShare]:
    """Record a payment for each share and return what became of each; the same shares and key again do nothing more.

    drawer: `{"tiroir": …}`, or nothing for the Bureau's. A share that is refused does not stop the others. Raises
    KeyReused if the key came before with another amount, mode or drawer for the same sale.
    """
    recorded = []
    for share in shares:
        document: dict[str, object] = {
            "type": SaleKind.PAYMENT,
            "origine": {"vente_id": share.sale_id},
            "montant": share.amount,
            "mode_paiement": mode,
            **drawer,
        }
        try:
            made = record_or_refuse(shop=shop, user=user, document=document, key=share_key(key, share.sale_id), ip=ip)
        except RefusedAtOnce as refusal:
            recorded.append(RecordedShare(share, refusal=refusal.outcome))
        else:
            recorded.append(RecordedShare(share, made))
    return recorded


def was_begun(*, shop: Shop, key: str, shares: Iterable[Share]) -> bool:
    """Tell whether some of these shares came before under this key. What is owed now is then less than it was."""
    keys = [share_key(key, share.sale_id) for share in shares]
    return Batch.objects.filter(terminal_id=office_device(shop).terminal_id, idempotency_key__in=keys).exists()


def share_key(key: str, sale_id: int) -> str:
    """Return a share's key. Its first characters become the document's number, so they must differ among shares."""
    digest = hashlib.sha256(f"{key}:{sale_id}".encode()).digest()
    return base64.b32encode(digest).decode()[:KEY_LENGTH]
