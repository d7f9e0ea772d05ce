"""The repair desk: the sales to correct, one of them, and the decision about it."""

import secrets
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backend.db.keyset import BadCursor
from backend.sales.errors import KeyReused, sentence_of
from backend.sales.models import RECORDED, OutcomeStatus
from backend.sales.repair.desk import Desk, Fix
from backend.sales.repair.retry import Obstacle, RetryResult
from backend.sentences import reader_language
from backend.shops.models import Role
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.desk import DecisionForm, ReasonedForm
from backend.web.selectors import batches as batch_selectors
from backend.web.selectors import desk as selectors
from backend.web.selectors.desk import EntryView


@shop_page
def to_correct(request: ShopRequest) -> HttpResponse:
    entries = batch_selectors.entries_to_correct(shop=request.access.shop)
    return render(request, "web/to_correct.html", {"entries": entries, "limit": batch_selectors.PAGE_ENTRIES_MAX})


@shop_page
def set_aside(request: ShopRequest) -> HttpResponse:
    cursor = request.GET.get("apres")
    try:
        page = selectors.set_aside_page(shop=request.access.shop, cursor=cursor)
    except BadCursor as error:
        raise Http404 from error
    return render(request, "web/set_aside.html", {"page": page, "is_first_page": not cursor})


@shop_page
def entry(request: ShopRequest, *, batch_id: int, position: int) -> HttpResponse:
    return _show(request, _entry(request, batch_id, position))


@require_POST
@shop_page(at_least=Role.MANAGER)
def decide(request: ShopRequest, *, batch_id: int, position: int) -> HttpResponse:
    """Carry out the chosen fix, if it still applies to this sale."""
    view = _entry(request, batch_id, position)
    fix = request.POST.get("decision", "")
    if fix not in view.fixes:
        messages.warning(request, _("Cette vente a changé entre-temps : voici où elle en est."))
        return _back(request, batch_id, position)
    form = (ReasonedForm if fix == Fix.SET_ASIDE else DecisionForm)(request.POST)
    if not form.is_valid():
        return _show(request, view, errors={fix: [str(error) for found in form.errors.values() for error in found]})
    reason, key = form.cleaned_data["raison"].strip(), form.cleaned_data["cle"]
    desk = Desk(shop=request.access.shop, user=request.user)
    if fix == Fix.CHOOSE_UNITS:
        units = {}
        for index, line in enumerate(view.lines):
            text = request.POST.get(f"ligne_{index}", "").strip()
            unit = selectors.unit_named(request.access.shop, text) if text else None
            if unit is None and (text or line.article is None):
                words = _("Ligne %(number)s : écrivez le code d'un article de la boutique.") % {"number": index + 1}
                return _show(request, view, errors={fix: [words]})
            if unit is not None:
                units[index] = unit.uuid
        retrial = desk.choose_units(batch_id, position, units=units, reason=reason)
    elif fix == Fix.REPLACE_FIRST:
        try:
            _voiding, retrial = desk.replace_first(batch_id, position, key=key or secrets.token_hex(8), reason=reason)
        except KeyReused:
            return _back(request, batch_id, position)
    else:
        act: Callable[..., RetryResult] = getattr(desk, fix)
        retrial = act(batch_id, position, reason=reason)
    _report_result(request, retrial)
    return _back(request, batch_id, position)


def _report_result(request: ShopRequest, retrial: RetryResult) -> None:
    after = retrial.after
    if retrial.obstacle is Obstacle.PAUSED:
        messages.warning(request, _("L'enregistrement est en pause : rien n'a été changé."))
    elif retrial.obstacle is Obstacle.BUSY:
        messages.warning(request, _("La caisse enregistre en ce moment : essayez encore dans un instant."))
    elif retrial.obstacle is Obstacle.BROKEN:
        messages.error(request, _("Une erreur de notre côté empêche cette vente. L'équipe technique est prévenue."))
    elif after.status in RECORDED:
        messages.success(request, _("La vente est enregistrée."))
    elif after.status == OutcomeStatus.DUPLICATE:
        messages.success(request, _("La vente était déjà enregistrée : elle n'est comptée qu'une fois."))
    elif after.status == OutcomeStatus.SET_ASIDE:
        messages.success(request, _("La vente est mise de côté. Elle ne compte dans aucun chiffre."))
    elif retrial.has_changed:
        messages.warning(
            request, _("La vente est reprise, et refusée : %(why)s.") % {"why": sentence_of(after, reader_language())}
        )
    else:
        why = sentence_of(after, reader_language())
        messages.warning(request, _("Toujours refusée : %(why)s.") % {"why": why})


def _entry(request: ShopRequest, batch_id: int, position: int) -> EntryView:
    view = selectors.entry_view(shop=request.access.shop, batch_id=batch_id, position=position)
    if view is None:
        raise Http404
    return view


def _show(request: ShopRequest, view: EntryView, *, errors: dict[str, list[str]] | None = None) -> HttpResponse:
    offers_units = Fix.CHOOSE_UNITS in view.fixes and request.access.may_manage
    context = {
        "view": view,
        "errors": errors or {},
        "typed": request.POST,
        "units": selectors.units_offered(request.access.shop) if offers_units else [],
        "key": secrets.token_hex(8),
    }
    return render(request, "web/entry.html", context)


def _back(request: ShopRequest, batch_id: int, position: int) -> HttpResponse:
    return HttpResponseRedirect(request.access.link(reverse("web:entry", args=[batch_id, position])))
