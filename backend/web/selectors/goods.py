"""The units that the page of a new sale offers."""

from django.db.models import Q

from backend.inventory.models import ArticleUnit
from backend.shops.models import Shop

OFFERED_MAX = 12


def offered_units(*, shop: Shop, text: str) -> list[ArticleUnit]:
    """Return units whose article's name contains `text`, or whose code begins with it, or whose barcode it is."""
    units = ArticleUnit.objects.filter(shop=shop, article__shop=shop, article__is_active=True)
    if text:
        found = Q(article__barcode=text) | Q(article__name__icontains=text)
        for beginning in {text, text.upper()}:
            found |= Q(article__code__startswith=beginning)
        units = units.filter(found)
    return list(units.select_related("article").order_by("article__name", "article_id", "pk")[:OFFERED_MAX])
