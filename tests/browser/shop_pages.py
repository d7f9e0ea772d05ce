"""Every page of a shop, read from the URL configuration, and a shop in which each page has much to show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from backend.inventory.importing.drafts import keep_draft
from backend.inventory.models import UnitLevel
from backend.sales.days.day_closing import close_day_by_hand
from backend.sales.models import Sale
from backend.testing import Cast, add_unit, make_article
from backend.web.urls import urlpatterns
from tests.shop_day import fill, post, sale

# Routes whose GET answers with a file or with a redirect to the page of the form.
FILES = {"sales_csv", "sales_xlsx", "money_csv", "money_xlsx", "invoice_pdf", "export_articles"}
FORMS = {
    "enrolment_code", "till_state", "device_state", "device_token", "decide", "add_member", "change_member",
    "password_link", "change_article", "add_unit", "change_unit", "move_unit", "open_unit",
}  # fmt: skip
TURNS = {"shop"}
ACCOUNT = ("account", "password_change")

SHEET = """code;nom;niveau;prix;seuil;stock
SEL1;Sel 1 kg;PIECE;1500;5;20
RIZ25;;PIECE;26000;10;
FARINE;;PIECE;cher;;
"""


@dataclass(frozen=True)
class ShopPage:
    name: str
    path: str


def shop_pages(ids: dict[str, object]) -> Iterator[ShopPage]:
    """Yield each page that a GET shows, with these ids in its address. KeyError: a new page needs another id."""
    for pattern in urlpatterns:
        is_of_shop = str(pattern.pattern).startswith("commercant/") or pattern.name in ACCOUNT
        if is_of_shop and pattern.name not in FILES | FORMS | TURNS:
            named = {name: ids[name] for name in pattern.pattern.converters}
            yield ShopPage(name=pattern.name, path=reverse(f"web:{pattern.name}", kwargs=named))


def fill_each_page(cast: Cast, *, rows: int) -> dict[str, object]:
    """Give Alice's shop at least this many rows of each kind; return the ids for the pages' addresses."""
    for place in range(rows):
        article = make_article(cast.shop, name=f"Savon de Marseille, paquet de {place + 1}", stock=place, price=1500)
    add_unit(article, level=UnitLevel.CARTON, mark="CTN", holds=12, price=16000, stock=3)
    sugar = make_article(cast.shop, name="Sucre 50 kg", stock=10 * rows, price=90000)
    many = post(
        cast.device,
        *(sale(sugar, price=90000, paye=place % 2 == 0, client={"nom": f"Client {place}"}) for place in range(rows)),
        *(sale(sugar, quantity=20 * rows + place, price=900) for place in range(rows)),
    )
    fill(cast)
    nobodys = {"article_id": 999_999, "quantite": 1, "prix_unitaire": 900}
    unknown = post(cast.device, sale(sugar, lignes=[nobodys]))
    today = datetime.now(ZoneInfo(cast.shop.timezone)).date()
    drawer = {"especes_comptees": [{"devise": "CDF", "montant": "1000"}]}
    closing = close_day_by_hand(
        terminal=cast.terminal, day=today, drawer=drawer, user=cast.alice, key="formulairedecloture"
    )
    draft = keep_draft(shop=cast.shop, user=cast.alice, name="articles.csv", content=SHEET.encode())
    return {
        "sale_id": Sale.objects.get(shop=cast.shop, number="FAC-20241104-003").pk,
        "article_id": article.pk,
        "unit_id": article.base_unit_id,
        "key": draft.key,
        "receipt": many.receipt,
        "batch_id": unknown.pk,
        "position": 1,
        "closing_id": closing.pk,
        "year": today.year,
        "month": today.month,
        "terminal_id": cast.terminal.pk,
    }
