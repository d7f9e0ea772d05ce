"""The tills of a benchmark, each in its own shop with its own articles, and the batches that they hand over.

Each till has its own shop, so that no till waits for another's rows: the cost of a sale is compared, and waiting for
one hot row would make all variants look alike.

"""

import json
import random
from dataclasses import dataclass

from backend.sales.intake import Caller, receive_batch
from backend.shops.models import AuthMode, Device
from backend.testing import make_article, make_device, make_shop, make_terminal

TILLS = 8
ARTICLES = 50
LINES = 3
STOCK = 10_000_000


@dataclass(frozen=True)
class Till:
    """A till, by ids that are the same in every database of the run, because all are copies of one."""

    terminal_id: int
    shop_id: int
    device_id: int
    serial: str
    article_ids: tuple[int, ...]
    unit_ids: tuple[int, ...]

    def body(self, prefix: str, *, sales: int) -> bytes:
        """Return a batch of sales of LINES lines, the same for the same prefix."""
        chance = random.Random(f"{self.serial} {prefix}")
        return json.dumps([self._sale(chance, f"{prefix}-{number:04}") for number in range(sales)]).encode()

    def hand_over(self, prefix: str, *, sales: int) -> None:
        """Put a batch into the database in use, through the intake, without HTTP."""
        device = Device.objects.select_related("terminal__shop").get(pk=self.device_id)
        receive_batch(caller=Caller(device), body=self.body(prefix, sales=sales))

    def _sale(self, chance: random.Random, number: str) -> dict:
        return {
            "numero_facture": number,
            "mode_paiement": "CASH",
            "paye": True,
            "date_vente": "2026-01-15T10:30:00+01:00",
            "lignes": [
                {
                    "article_id": article,
                    "quantite": chance.randint(1, 3),
                    "prix_unitaire": chance.randrange(500, 90_000),
                }
                for article in chance.sample(self.article_ids, LINES)
            ],
        }


def make_tills() -> list[Till]:
    """Create the tills in an empty database. Their ids are consecutive, and the same in every copy."""

    return [_make_till() for _ in range(TILLS)]


def _make_till() -> Till:
    shop = make_shop()
    device = make_device(make_terminal(shop), auth_mode=AuthMode.SERIAL)
    articles = [make_article(shop, stock=STOCK) for _ in range(ARTICLES)]
    return Till(
        terminal_id=device.terminal_id,
        shop_id=shop.pk,
        device_id=device.pk,
        serial=device.serial,
        article_ids=tuple(article.pk for article in articles),
        unit_ids=tuple(article.base_unit_id for article in articles),
    )
