"""One article, its units and their stock. A refusal is shown at the field it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from backend.inventory import catalogue
from backend.inventory.carton_opening import LEVELS, open_units
from backend.inventory.catalogue import begin_article
from backend.inventory.errors import InventoryRefused
from backend.inventory.idempotency import AlreadyDone, do_once
from backend.inventory.models import Article, ArticleUnit, MovementType, StockMovement
from backend.inventory.stock import count_stock, move_stock
from backend.shops.models import Role
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.formats import quantity
from backend.web.forms.stock import (
    ArticleForm,
    KeyedStockForm,
    MoveForm,
    NewArticleForm,
    NewUnitForm,
    OpenForm,
    StockForm,
    UnitForm,
)
from backend.web.selectors import stock as selectors
from backend.web.wording.stock import unit_name


@dataclass(frozen=True)
class UnitCard:
    """A unit as its article's page shows it; the forms are None for a person who may only read."""

    unit: ArticleUnit
    is_base: bool
    smaller: ArticleUnit | None
    move: MoveForm | None
    open: OpenForm | None
    change: UnitForm | None


@shop_page
def article(request: ShopRequest, *, article_id: int) -> HttpResponse:
    found = selectors.article_of_shops(article_id=article_id, shop_ids=request.access.shop_ids)
    if found is None:
        raise Http404
    return redirect_to_shop(request, shop_id=found.shop_id) or _article_page(request, found)


def _article_page(request: ShopRequest, found: Article, **bound: Any) -> HttpResponse:
    """Show an article. bound: forms with errors, by name; `change_12` is the form of unit 12."""
    units = selectors.units_of(found)
    may_manage = request.access.may_manage
    context = {"article": found, "cards": [_card(found, unit, units, bound, may_manage) for unit in units]}
    if may_manage:
        free = [level for level in LEVELS if level not in {unit.level for unit in units}]
        context["change"] = bound.get("change") or ArticleForm(article=found, units=units, auto_id="article_%s")
        if free:
            context["add"] = bound.get("add") or NewUnitForm(shop=found.shop, levels=free, auto_id="new_%s")
    return render(request, "web/article.html", context)


def _card(
    found: Article, unit: ArticleUnit, units: list[ArticleUnit], bound: dict[str, Any], may_manage: bool
) -> UnitCard:
    smaller = selectors.smaller_unit(unit, units)
    is_base = found.base_unit_id == unit.pk
    if not may_manage:
        return UnitCard(unit, is_base, smaller, move=None, open=None, change=None)
    return UnitCard(
        unit,
        is_base,
        smaller,
        move=bound.get(f"move_{unit.pk}") or MoveForm(auto_id=f"move_{unit.pk}_%s"),
        open=bound.get(f"open_{unit.pk}") or OpenForm(auto_id=f"open_{unit.pk}_%s") if smaller else None,
        change=bound.get(f"change_{unit.pk}") or _unit_form(found, unit, None),
    )


@shop_page(at_least=Role.MANAGER)
def change_article(request: ShopRequest, *, article_id: int) -> HttpResponse:
    found = _own_article(request, article_id)
    if request.method != "POST":
        return _to_article(request, found)
    form = ArticleForm(request.POST, article=found, units=selectors.units_of(found), auto_id="article_%s")

    def change() -> None:
        changes = form.changes()
        if changes:
            catalogue.change_article(shop=request.access.shop, article_uuid=found.uuid, changes=changes)
        messages.success(request, _("Article enregistré. Les ventes passées ne changent pas."))

    if _is_done(request, form, change):
        return _to_article(request, found)
    return _article_page(request, found, change=form)


@shop_page(at_least=Role.MANAGER)
def add_unit(request: ShopRequest, *, article_id: int) -> HttpResponse:
    found = _own_article(request, article_id)
    if request.method != "POST":
        return _to_article(request, found)
    # All levels are valid here: in a form sent twice, the second time, the level is taken, which is not an error.
    form = NewUnitForm(request.POST, shop=found.shop, levels=list(LEVELS), auto_id="new_%s")

    def add() -> None:
        _do_once(request, form, lambda: catalogue.add_unit(shop=found.shop, article_uuid=found.uuid, unit=form.unit()))
        messages.success(request, _("Unité ajoutée. L'unité de base reste ce qu'elle était."))

    if _is_done(request, form, add):
        return _to_article(request, found)
    return _article_page(request, found, add=form)


@shop_page(at_least=Role.MANAGER)
def change_unit(request: ShopRequest, *, article_id: int, unit_id: int) -> HttpResponse:
    found, unit = _own_unit(request, article_id, unit_id)
    if request.method != "POST":
        return _to_article(request, found)
    form = _unit_form(found, unit, request.POST)

    def change() -> None:
        changes = form.changes()
        if changes:
            catalogue.change_unit(shop=found.shop, unit_uuid=unit.uuid, changes=changes)
        messages.success(request, _("Unité enregistrée. Les ventes passées ne changent pas."))

    if _is_done(request, form, change):
        return _to_article(request, found)
    return _article_page(request, found, **{f"change_{unit.pk}": form})


@shop_page(at_least=Role.MANAGER)
def move_unit(request: ShopRequest, *, article_id: int, unit_id: int) -> HttpResponse:
    """Bring in, take out, adjust or count, once per form shown."""
    found, unit = _own_unit(request, article_id, unit_id)
    if request.method != "POST":
        return _to_article(request, found)
    form = MoveForm(request.POST, auto_id=f"move_{unit.pk}_%s")

    def move() -> None:
        movement = _do_once(request, form, lambda: _carry_out(form, unit, author=_author(request)))
        messages.success(request, _movement_words(unit, movement))

    if _is_done(request, form, move):
        return _to_article(request, found)
    return _article_page(request, found, **{f"move_{unit.pk}": form})


@shop_page(at_least=Role.MANAGER)
def open_unit(request: ShopRequest, *, article_id: int, unit_id: int) -> HttpResponse:
    found, unit = _own_unit(request, article_id, unit_id)
    if request.method != "POST":
        return _to_article(request, found)
    form = OpenForm(request.POST, auto_id=f"open_{unit.pk}_%s")

    def open_some() -> None:
        count = form.cleaned_data["nombre"]
        taken, brought = _do_once(request, form, lambda: open_units(unit=unit, count=count, author=_author(request)))
        words = {
            "count": quantity(-taken.quantity),
            "larger": unit_name(taken.unit),
            "brought": quantity(brought.quantity),
            "smaller": unit_name(brought.unit),
        }
        messages.success(request, _("Ouvert : %(count)s %(larger)s, devenus %(brought)s %(smaller)s.") % words)

    if _is_done(request, form, open_some):
        return _to_article(request, found)
    return _article_page(request, found, **{f"open_{unit.pk}": form})


@shop_page(at_least=Role.MANAGER)
def new_article(request: ShopRequest) -> HttpResponse:
    shop = request.access.shop
    form = NewArticleForm(request.POST if request.method == "POST" else None, shop=shop)
    created: list[Article] = []

    def create() -> None:
        given = form.cleaned_data
        created.append(
            _do_once(
                request,
                form,
                lambda: begin_article(
                    shop=shop,
                    code=given["code"],
                    name=given["nom"],
                    barcode=given["code_barres"],
                    base_unit=form.unit(),
                    opening=given["quantite"],
                    author=_author(request),
                ),
            )
        )
        messages.success(request, _("Article ajouté. Les caisses le recevront à leur prochaine mise à jour."))

    if request.method == "POST" and _is_done(request, form, create):
        if created:
            return _to_article(request, created[0])
        return HttpResponseRedirect(request.access.link(reverse("web:stock"), q=form.cleaned_data["code"]))
    return render(request, "web/new_article.html", {"form": form})


def _carry_out(form: MoveForm, unit: ArticleUnit, *, author: str) -> StockMovement | None:
    amount, reason = form.cleaned_data["quantite"], form.cleaned_data["motif"]
    if form.cleaned_data["action"] == "compte":
        return count_stock(unit=unit, counted=amount, author=author, reason=reason)
    movement_type, signed = {
        "entree": (MovementType.ENTRY, amount),
        "sortie": (MovementType.EXIT, -amount),
        "ajustement": (MovementType.ADJUSTMENT, amount),
    }[form.cleaned_data["action"]]
    return move_stock(unit=unit, quantity=signed, movement_type=movement_type, author=author, comment=reason)


def _movement_words(unit: ArticleUnit, movement: StockMovement | None) -> str:
    if movement is None:
        return _("Le compte est juste : rien à changer.")
    words = {
        "unit": unit_name(unit),
        "before": quantity(movement.stock_before),
        "after": quantity(movement.stock_after),
    }
    return _("Enregistré. Stock de %(unit)s : %(before)s → %(after)s.") % words


def _do_once(request: ShopRequest, form: KeyedStockForm, work: Callable[[], Any]) -> Any:
    """Do a form's work once, even if the form is sent again. Raises AlreadyDone."""
    typed = {**form.typed(), "path": request.path}
    return do_once(shop=request.access.shop, key=form.cleaned_data["key"], form=typed, work=work)


def _is_done(request: ShopRequest, form: StockForm, work: Callable[[], None]) -> bool:
    """Do `work` if the form is valid, and tell whether it is done; a service's refusal becomes an error of the form.

    A form sent twice counts as done, with a message that it was not done again.
    """
    if not form.is_valid():
        return False
    try:
        work()
    except AlreadyDone:
        messages.warning(request, _("C'était déjà enregistré : rien n'a été fait une seconde fois."))
    except InventoryRefused as refusal:
        form.refuse(refusal)
        return False
    return True


def _unit_form(found: Article, unit: ArticleUnit, posted: Any) -> UnitForm:
    return UnitForm(posted, shop=found.shop, unit=unit, auto_id=f"unit_{unit.pk}_%s")


def _own_article(request: ShopRequest, article_id: int) -> Article:
    """Return an article of the shop that is shown: changes are never redirected to another shop."""
    found = selectors.article_of_shops(article_id=article_id, shop_ids=[request.access.shop.pk])
    if found is None:
        raise Http404
    return found


def _own_unit(request: ShopRequest, article_id: int, unit_id: int) -> tuple[Article, ArticleUnit]:
    found = _own_article(request, article_id)
    unit = next((unit for unit in selectors.units_of(found) if unit.pk == unit_id), None)
    if unit is None:
        raise Http404
    return found, unit


def _author(request: ShopRequest) -> str:
    return request.user.get_full_name() or request.user.get_username()


def _to_article(request: ShopRequest, found: Article) -> HttpResponseRedirect:
    return HttpResponseRedirect(request.access.link(reverse("web:article", kwargs={"article_id": found.pk})))
