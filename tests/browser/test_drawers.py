"""A drawer explained, and the papers of a sale, on a real screen: nothing stands beside its column or off the page."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from backend.sales.days.day_closing import close_day_by_hand
from backend.sales.models import SaleOutcome
from backend.sales.repair.desk import Desk
from backend.testing import Cast
from tests.browser.conftest import Visit, at_each_width
from tests.shop_day import post, recorded, sale


@at_each_width
def test_a_drawer_fits_the_screen_with_what_came_after_the_closing(cast: Cast, visit: Visit) -> None:
    post(cast.device, sale(cast.oil, numero_facture="FAC2-261201-016", price=6650))
    closing = close_day_by_hand(
        terminal=cast.terminal,
        day=datetime.now(ZoneInfo(cast.shop.timezone)).date(),
        drawer={"especes_comptees": [{"devise": "CDF", "montant": "2600"}]},
        user=cast.alice,
        key="formulairedecloture",
    )
    post(cast.device, sale(cast.oil, numero_facture="FAC2-261201-016", price=2600))
    conflict = SaleOutcome.objects.get(status="conflict")
    Desk(shop=cast.shop, user=cast.bob).replace_first(conflict.batch_id, conflict.position, key="aaaa1111")
    visit.sign_in("victor")
    visit.open(reverse("web:closing_drawer", args=[closing.pk]))
    assert "Corrections (1) −6 650 FC" in visit.words()
    assert visit.words().count("Enregistré après la clôture") == 2
    assert visit.overflow_px() == 0
    cells = visit.page.locator("#moves ~ table tbody tr:last-child td:visible")
    heads = visit.page.locator("#moves ~ table thead th")
    assert cells.count() <= heads.count()


def test_the_columns_of_the_tax_stand_below_their_heads(cast: Cast, desk_visit: Visit) -> None:
    document = recorded(post(cast.device, sale(cast.rice)))
    desk_visit.sign_in("victor")
    desk_visit.open(reverse("web:invoice", args=[document.pk]))
    table = desk_visit.page.locator(".paper table", has_text="TVA").last
    for place in range(4):
        head, cell = table.locator("th").nth(place).bounding_box(), table.locator("td").nth(place).bounding_box()
        assert abs(head["x"] - cell["x"]) < 1, place
