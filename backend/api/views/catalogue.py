"""Calls that read the till's shop: the catalogue with prices and stock, and the stock movements."""

from datetime import UTC, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import parameters
from backend.api.answers.catalogue import Catalogue, Mouvements, describe_article, describe_movement
from backend.api.authentication import device_of
from backend.api.openapi.catalogue import describe_articles, describe_movements
from backend.api.problems import Problem
from backend.db.change_cursors import CursorInvalid
from backend.db.keyset import BadCursor
from backend.inventory.change_feed import KEY_LENGTH, read_catalogue
from backend.inventory.models import Article
from backend.inventory.movements import read_movements
from backend.sales.receipts.movement_comments import comments_of
from backend.shops.models import Shop
from backend.shops.terminals import shop_id_of, shop_of

ARTICLES_PAGE, ARTICLES_PAGE_MAX = 500, 1000
MOVEMENTS_PAGE, MOVEMENTS_PAGE_MAX = 100, 500
MOVEMENT_FILTERS = ("article_id", "date_debut", "date_fin", "limit")


class ArticlesView(APIView):
    """The catalogue, or its changes since a cursor."""

    @describe_articles(page=ARTICLES_PAGE, page_max=ARTICLES_PAGE_MAX)
    def get(self, request: Request) -> Response:
        limit = parameters.whole_number(request, "limit", minimum=1, maximum=ARTICLES_PAGE_MAX) or ARTICLES_PAGE
        since = parameters.change_cursor(request, "depuis", key_length=KEY_LENGTH)
        shop_id = shop_id_of(device_of(request).terminal)
        try:
            page = read_catalogue(shop_id=shop_id, since=since, limit=limit, now=datetime.now(UTC))
        except CursorInvalid as error:
            raise parameters.bad_cursor("depuis") from error
        articles = [describe_article(changed) for changed in page.articles]
        return Response(Catalogue(articles=articles, curseur=page.cursor.as_text(), fin=page.is_last))


class MovementsView(APIView):
    """The shop's stock movements, newest first."""

    @describe_movements(page=MOVEMENTS_PAGE, page_max=MOVEMENTS_PAGE_MAX)
    def get(self, request: Request) -> Response:
        shop = shop_of(device_of(request).terminal)
        limit = parameters.whole_number(request, "limit", minimum=1, maximum=MOVEMENTS_PAGE_MAX) or MOVEMENTS_PAGE
        before = parameters.whole_number(request, "curseur", minimum=1)
        period = parameters.period(request, "date_debut", "date_fin", zone=ZoneInfo(shop.timezone))
        article = _article_of(request, shop)
        try:
            page = read_movements(
                shop_id=shop.pk, article=article, begin=period.begin, end=period.end, before=before, limit=limit
            )
        except BadCursor as error:
            raise parameters.bad_cursor("curseur") from error
        comments = comments_of(page.movements)
        return Response(
            Mouvements(
                success=True,
                boutique_id=shop.pk,
                boutique_nom=shop.name,
                count=len(page.movements),
                mouvements=[describe_movement(one, comment=comments[one.pk]) for one in page.movements],
                suivant=_address(request, before=page.before) if page.before else None,
            )
        )


def _article_of(request: Request, shop: Shop) -> Article | None:
    """Return the article that the call names, or None. Refuses an article of another shop as not found."""
    article_id = parameters.whole_number(request, "article_id", minimum=1)
    if article_id is None:
        return None
    try:
        return Article.objects.get(pk=article_id, shop_id=shop.pk)
    except Article.DoesNotExist as error:
        raise Problem("introuvable", f"article_id : article {article_id} non trouvé dans cette boutique") from error


def _address(request: Request, *, before: int) -> str:
    given = [(name, request.query_params[name]) for name in MOVEMENT_FILTERS if name in request.query_params]
    return f"{request.path}?{urlencode([*given, ('curseur', before)])}"
