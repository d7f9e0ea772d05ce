"""P8: no row joins two shops. Each column that names a shop, till or article is compared with the rows it refers to."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Model, Q

from backend.doctor.registry import Finding, Scope, check
from backend.doctor.wording import count, listed, name_row, name_shop, name_till
from backend.inventory.models import Article, ArticleUnit, StockMovement
from backend.sales.models import (
    Batch,
    BatchBody,
    MoneyMovement,
    OutcomeHistory,
    Sale,
    SaleLine,
    SaleOutcome,
)
from backend.shops.models import Shop, Terminal

ALL_ROWS = "toutes les tables des ventes et du stock"


@dataclass(frozen=True, slots=True)
class Seam:
    """A column of a table, and the paths that lead to the same thing, each with its French name."""

    rows: type[Model]
    column: str
    ways: dict[str, str]
    terminal: str | None = "terminal_id"


OF_DOCUMENT = "document__terminal_id"
SEAMS = (
    Seam(Sale, "shop_id", {"batch__shop_id": "son lot", "origin__shop_id": "sa vente d'origine"}),
    Seam(Sale, "terminal_id", {"batch__terminal_id": "son lot"}),
    Seam(SaleLine, "shop_id", {"document__shop_id": "son document", "unit__shop_id": "son unité"}, OF_DOCUMENT),
    Seam(MoneyMovement, "shop_id", {"document__shop_id": "son document"}, OF_DOCUMENT),
    Seam(SaleOutcome, "shop_id", {"batch__shop_id": "son lot", "document__shop_id": "son document"}),
    Seam(SaleOutcome, "terminal_id", {"batch__terminal_id": "son lot"}),
    Seam(StockMovement, "shop_id", {"unit__shop_id": "son unité", "document__shop_id": "son document"}, OF_DOCUMENT),
    Seam(BatchBody, "shop_id", {"batch__shop_id": "son lot"}, "batch__terminal_id"),
    Seam(OutcomeHistory, "shop_id", {"batch__shop_id": "son lot"}, "batch__terminal_id"),
    Seam(ArticleUnit, "shop_id", {"article__shop_id": "son article"}, None),
)


@check(promise="P8", title="Aucune ligne ne joint deux boutiques ni deux caisses", cost=ALL_ROWS)
def rows_stay_in_one_shop(scope: Scope) -> Iterator[Finding]:
    """Find rows whose columns name two shops or tills. Orphans are left to their own check."""
    for seam in SEAMS:
        is_shop = seam.column == "shop_id"
        known = set((Shop if is_shop else Terminal).objects.values_list("pk", flat=True))
        name = name_shop if is_shop else name_till
        torn = Q()
        for way in seam.ways:
            torn |= Q(**{f"{way}__isnull": False}) & ~Q(**{way: F(seam.column)})
        rows = seam.rows._default_manager.filter(torn, **scope.narrow(terminal=seam.terminal)).order_by("pk")
        # Aliased, because a path that is the same key would shadow the column.
        for row in rows.annotate(**{f"way_{index}": F(way) for index, way in enumerate(seam.ways)}):
            own = getattr(row, seam.column)
            seen = {word: getattr(row, f"way_{at}") for at, word in enumerate(seam.ways.values())}
            other = [f"{name(key)} par {word}" for word, key in seen.items() if key != own and key in known]
            if other and own in known:
                yield Finding(
                    f"{name_row(row)} : {name(own)}, mais {listed(other)}",
                    "Une boutique peut voir, ou compter comme à elle, ce qui est à une autre. Comparez avec une"
                    " sauvegarde lequel des deux a changé, et remettez-le.",
                )


@check(promise="P8", title="L'unité de base de chaque article est une des siennes")
def base_units_are_their_articles(scope: Scope) -> Iterator[Finding]:
    """Otherwise `article_id` on a till's line would mean another article's unit, perhaps another shop's."""
    articles = Article.objects.filter(base_unit__isnull=False, **scope.narrow(terminal=None))
    for article in articles.exclude(base_unit__article_id=F("pk")).select_related("base_unit__article").order_by("pk"):
        assert article.base_unit is not None, "the others are left out"
        other = article.base_unit.article
        yield Finding(
            f"{name_row(article)} a pour unité de base l'unité n° {article.base_unit_id}, de l'{name_row(other)}",
            "Les caisses qui vendent cet article par son identifiant déstockent l'autre. Choisissez son unité de base.",
        )


@check(promise="P8", title="Chaque caisse est dans la boutique où elle a vendu")
def tills_keep_their_shop(scope: Scope) -> Iterator[Finding]:
    """No service moves a till to another shop (docs/decisions): only a manual change of the database does."""

    batches = Batch.objects.filter(terminal__shop_id__isnull=False, **scope.narrow())
    strayed = batches.exclude(terminal__shop_id=F("shop_id")).values("terminal_id", "terminal__shop_id", "shop_id")
    known = set(Shop.objects.values_list("pk", flat=True))
    for row in strayed.annotate(batches=Count("pk")).order_by("terminal_id", "shop_id"):
        if row["shop_id"] in known:
            yield Finding(
                f"{name_till(row['terminal_id'])} est dans la {name_shop(row['terminal__shop_id'])}, et"
                f" {count(row['batches'], 'lot')} d'elle dans la {name_shop(row['shop_id'])}",
                "Ce qu'elle vend va au stock et à la recette d'une autre boutique, et ses anciens reçus lui sont"
                " fermés. Remettez la caisse dans sa boutique ; pour l'autre, créez une caisse et déplacez-y"
                " l'appareil (manage.py device --move).",
            )
