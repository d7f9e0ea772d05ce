"""Finds the units that lines name, within one shop only."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import F

from backend.inventory.models import Article, ArticleUnit
from backend.sales.errors import ArticleUnknown, Reason, UnitAmbiguous, UnitUnknown
from backend.sales.wire.fingerprints import UnitKey


class ResolvedUnit(NamedTuple):
    """A unit's fields that do not change, or whose change a slice may see half a second late."""

    unit_id: int
    article_id: int
    article_name: str
    is_active: bool


class UnitCache:
    """The units of one shop that a slice has read. Misses are not kept, because an article may be created meanwhile."""

    def __init__(self, *, shop_id: int) -> None:
        self.shop_id = shop_id
        self._found: dict[UnitKey, ResolvedUnit] = {}

    def read(self, keys: Iterable[UnitKey]) -> None:
        """Read the units of these keys, all together. A key without a unit is looked up again by `resolve`."""
        missing = {key for key in keys if key not in self._found}
        if missing:
            self._found |= _find(missing, shop_id=self.shop_id)

    def name_of(self, key: UnitKey) -> str | None:
        """Return the article's name for a key that was read before; None if the key has no unit."""
        found = self._found.get(key)
        return found.article_name if found else None

    def resolve(self, keys: list[UnitKey]) -> list[ResolvedUnit]:
        """Return the unit of each key, in order.

        Raises ArticleUnknown, UnitUnknown or UnitAmbiguous for the first line without a unit in this shop; a unit of
        another shop is treated as if it did not exist.
        """
        self.read(keys)
        for index, key in enumerate(keys):
            if key not in self._found:
                _refuse(key, shop_id=self.shop_id, path=f"lignes[{index}]")
        return [self._found[key] for key in keys]


def _find(keys: set[UnitKey], *, shop_id: int) -> dict[UnitKey, ResolvedUnit]:
    """Read the units of all `keys`. A key whose parts disagree has no unit."""
    index: dict[tuple[str, str | int], ResolvedUnit] = {}
    articles_of_units: dict[int, set[tuple[str, str | int]]] = {}
    for name in ("unite_uuid", "article_uuid", "article_id"):
        values = {value for key in keys for part, value in key if part == name}
        if not values:
            continue
        for row in _rows(name, values, shop_id=shop_id):
            unit_id, unit_uuid, article_id, article_uuid, base_unit_id, article_name, is_active = row
            unit = ResolvedUnit(unit_id, article_id, article_name, is_active)
            index["unite_uuid", str(unit_uuid)] = unit
            names = {("article_id", article_id), ("article_uuid", str(article_uuid))}
            articles_of_units[unit_id] = names
            if unit_id == base_unit_id:
                index |= dict.fromkeys(names, unit)
    return {key: agreed for key in keys if (agreed := _agreed(key, index, articles_of_units))}


def _rows(name: str, values: set[Any], *, shop_id: int) -> Iterable[tuple[Any, ...]]:
    """Read the units with these names, all of one kind: an OR over two tables would read the whole shop."""
    if name == "unite_uuid":
        units = ArticleUnit.objects.filter(uuid__in=values)
    elif name == "article_uuid":
        units = ArticleUnit.objects.filter(article__uuid__in=values, article__base_unit=F("id"))
    else:
        units = ArticleUnit.objects.filter(article_id__in=values, article__base_unit=F("id"))
    article = ("article_id", "article__uuid", "article__base_unit_id", "article__name", "article__is_active")
    return units.filter(article__shop_id=shop_id).values_list("id", "uuid", *article)


def _agreed(
    key: UnitKey,
    index: dict[tuple[str, str | int], ResolvedUnit],
    articles_of_units: dict[int, set[tuple[str, str | int]]],
) -> ResolvedUnit | None:
    """Return the unit that all parts of `key` mean. A named unit counts only if a named article is its own."""
    unit = index.get(key[0])
    if unit is None:
        return None
    is_own = all(part in articles_of_units[unit.unit_id] for part in key[1:])
    return unit if is_own else None


def _refuse(key: UnitKey, *, shop_id: int, path: str) -> None:
    """Raise the refusal that says why `key` has no unit in this shop."""
    for name, value in key:
        if name == "unite_uuid":
            if not ArticleUnit.objects.filter(uuid=str(value), article__shop_id=shop_id).exists():
                raise UnitUnknown(path=f"{path}.unite_uuid")
            continue
        field = "id" if name == "article_id" else "uuid"
        if not Article.objects.filter(shop_id=shop_id, **{field: value}).exists():
            raise ArticleUnknown(value, path=f"{path}.{name}")
    if len(key) == 1:
        raise UnitAmbiguous(Reason.NO_BASE_UNIT(), path=f"{path}.{key[0][0]}")
    raise UnitAmbiguous(Reason.UNIT_OF_ANOTHER(), path=f"{path}.{key[0][0]}")
