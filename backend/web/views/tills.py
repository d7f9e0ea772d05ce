"""The shop's tills: the state of each, and their devices.

A code or token is shown once, in the response to the click: it is in no address, session or cache.
"""

from typing import NoReturn

import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from backend.shops.devices import disable_device, enable_device, issue_token, refuse_office
from backend.shops.enrolment import code_payload, create_enrolment_code
from backend.shops.errors import ShopsRefused, TillNameTaken
from backend.shops.models import Device, DeviceState, Role, Terminal, TerminalState
from backend.shops.terminals import add_till as add_till_to_shop
from backend.shops.terminals import disable_till, enable_till, shop_id_of, shop_of
from backend.web.access import ShopRequest, redirect_to_shop, shop_page
from backend.web.forms.tills import CodeForm, DeviceStateForm, TillForm, TillStateForm
from backend.web.selectors import till_details as selectors
from backend.web.wording.tills import refusal_words

QR_QUIET_ZONE = 4


@shop_page
def tills(request: ShopRequest) -> HttpResponse:
    return render(request, "web/tills.html", {"cards": selectors.till_cards(shop=request.access.shop)})


@shop_page
def till(request: ShopRequest, *, terminal_id: int) -> HttpResponse:
    terminal = selectors.till_of_shops(terminal_id=terminal_id, shop_ids=request.access.shop_ids)
    if terminal is None:
        raise Http404
    redirect = redirect_to_shop(request, shop_id=shop_id_of(terminal))
    if redirect:
        return redirect
    cards = selectors.till_cards(shop=shop_of(terminal))
    everyone = [*cards.tills, *([cards.office] if cards.office else [])]
    devices = selectors.devices_of_till(terminal)
    context = {
        "card": next(card for card in everyone if card.terminal.pk == terminal.pk),
        "pauses": cards.pauses,
        "devices": devices,
        "is_held": any(view.holds_till for view in devices),
        "waiting_code": selectors.waiting_code(terminal, now=timezone.now()),
        "refused_calls": selectors.refused_calls_of(devices),
    }
    return render(request, "web/till.html", context)


@shop_page(at_least=Role.MANAGER)
def add_till(request: ShopRequest) -> HttpResponse:
    form = TillForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "web/add_till.html", {"form": form})
    try:
        terminal_id = add_till_to_shop(shop=request.access.shop, name=form.cleaned_data["nom"]).pk
        messages.success(request, _("Caisse ajoutée. Faites un code pour y inscrire un appareil."))
    except TillNameTaken as refusal:
        terminal_id = refusal.terminal_id
        messages.warning(request, refusal_words(refusal))
    return _to_till(request, terminal_id)


@shop_page(at_least=Role.MANAGER)
def enrolment_code(request: ShopRequest, *, terminal_id: int) -> HttpResponse:
    """Create a code and show it. A GET, as after a reload, creates and shows none."""
    terminal = _own_till(request, terminal_id)
    form = CodeForm(request.POST)
    if request.method != "POST":
        return _to_till(request, terminal.pk)
    replaced = _chosen_device(form, terminal)
    if terminal.state == TerminalState.DISABLED:
        messages.error(request, _("Cette caisse est désactivée : réactivez-la avant d'y inscrire un appareil."))
        return _to_till(request, terminal.pk)
    try:
        code = create_enrolment_code(terminal=terminal, replaces=replaced, created_by=request.user)
    except ShopsRefused as refusal:
        messages.error(request, refusal_words(refusal))
        return _to_till(request, terminal.pk)
    context = {
        "terminal": terminal,
        "code": code,
        "replaced": replaced,
        "is_same_device": form.cleaned_data["meme"],
        "server_url": settings.PUBLIC_URL.rstrip("/"),
        "qr": _qr(code_payload(code, server_url=settings.PUBLIC_URL)),
    }
    return render(request, "web/till_code.html", context)


@shop_page(at_least=Role.MANAGER)
def device_token(request: ShopRequest, *, terminal_id: int, device_id: int) -> HttpResponse:
    """Issue a token and show it, for tills on which no code can be typed."""
    terminal = _own_till(request, terminal_id)
    device = _own_device(terminal, device_id)
    if request.method != "POST":
        return _to_till(request, terminal.pk)
    try:
        refuse_office(terminal)
    except ShopsRefused as refusal:
        messages.error(request, refusal_words(refusal))
        return _to_till(request, terminal.pk)
    context = {"terminal": terminal, "device": device, "token": issue_token(device)}
    return render(request, "web/till_token.html", context)


@shop_page(at_least=Role.MANAGER)
def till_state(request: ShopRequest, *, terminal_id: int) -> HttpResponse:
    terminal = _own_till(request, terminal_id)
    form = TillStateForm(request.POST)
    if request.method != "POST":
        return _to_till(request, terminal.pk)
    if not form.is_valid():
        raise Http404
    try:
        if form.cleaned_data["etat"] == TerminalState.DISABLED:
            disable_till(terminal)
            messages.success(request, _("Caisse désactivée : ses envois sont refusés à partir de maintenant."))
        else:
            enable_till(terminal)
            messages.success(request, _("Caisse réactivée : elle peut de nouveau envoyer ses ventes."))
    except ShopsRefused as refusal:
        messages.error(request, refusal_words(refusal))
    return _to_till(request, terminal.pk)


@shop_page(at_least=Role.MANAGER)
def device_state(request: ShopRequest, *, terminal_id: int, device_id: int) -> HttpResponse:
    terminal = _own_till(request, terminal_id)
    device = _own_device(terminal, device_id)
    form = DeviceStateForm(request.POST)
    if request.method != "POST":
        return _to_till(request, terminal.pk)
    if not form.is_valid():
        raise Http404
    try:
        if form.cleaned_data["etat"] == DeviceState.DISABLED:
            disable_device(device)
            messages.success(request, _("Appareil désactivé : ses envois sont refusés à partir de maintenant."))
        else:
            enable_device(device)
            _report_enabled(request, device)
    except ShopsRefused as refusal:
        messages.error(request, refusal_words(refusal))
    return _to_till(request, terminal.pk)


def _report_enabled(request: ShopRequest, device: Device) -> None:
    if device.state == DeviceState.REPLACED:
        messages.warning(
            request, _("Appareil réactivé, mais un autre tient la caisse : il reste un appareil remplacé.")
        )
    else:
        messages.success(request, _("Appareil réactivé : il peut de nouveau envoyer ses ventes."))


def _own_till(request: ShopRequest, terminal_id: int) -> Terminal:
    """Return a till of the shop that is shown: changes are never redirected to another shop."""
    return selectors.till_of_shops(terminal_id=terminal_id, shop_ids=[request.access.shop.pk]) or _not_found()


def _own_device(terminal: Terminal, device_id: int) -> Device:
    return selectors.device_of_till(terminal=terminal, device_id=device_id) or _not_found()


def _chosen_device(form: CodeForm, terminal: Terminal) -> Device | None:
    if not form.is_valid():
        raise Http404
    device_id = form.cleaned_data["appareil"]
    return None if device_id is None else _own_device(terminal, device_id)


def _not_found() -> NoReturn:
    raise Http404


def _to_till(request: ShopRequest, terminal_id: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(request.access.link(reverse("web:till", kwargs={"terminal_id": terminal_id})))


def _qr(payload: str) -> SafeString:
    """Return a QR code as SVG without inline styles, black on white in the dark theme too: cameras need it."""
    picture = segno.make_qr(payload, error="m")
    svg = picture.svg_inline(
        omitsize=True, border=QR_QUIET_ZONE, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return mark_safe(svg)  # noqa: S308 - segno's own SVG, without input
