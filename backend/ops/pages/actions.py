"""The actions of the operations page: each is a posted form, answered by a sentence and logged with its author."""

import structlog
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from backend.ops.pages import notices, operations, views
from backend.ops.pages.access import staff_action
from backend.ops.pages.failures import is_deadly
from backend.ops.pages.forms import PauseForm, ReasonForm, RetryForm
from backend.ops.pages.operations import Rung
from backend.sales.models import Pause
from backend.sales.tills.pauses import pause as pause_posting
from backend.sales.tills.pauses import resume as resume_posting
from backend.shops.models import Shop, Terminal

log = structlog.get_logger("caisse.operations")


@staff_action
def ring_all(request: HttpRequest) -> HttpResponse:
    report = operations.ring_all_stale(by=request.user.get_username())
    level = messages.WARNING if report.is_unheard else messages.SUCCESS
    messages.add_message(request, level, notices.rung_all_words(report))
    return _back(request)


@staff_action
def ring_till(request: HttpRequest, *, terminal_id: int) -> HttpResponse:
    end = operations.ring_again(get_object_or_404(Terminal, pk=terminal_id), by=request.user.get_username())
    level = messages.SUCCESS if end is Rung.RUNG else messages.WARNING
    messages.add_message(request, level, str(notices.RUNG[end]))
    return _to_till(terminal_id)


@staff_action
def post_till(request: HttpRequest, *, terminal_id: int) -> HttpResponse:
    report = operations.post_now(get_object_or_404(Terminal, pk=terminal_id), by=request.user.get_username())
    level = messages.WARNING if report.obstacle else messages.SUCCESS
    messages.add_message(request, level, notices.posted_words(report))
    return _to_till(terminal_id)


@staff_action
def pause(request: HttpRequest) -> HttpResponse:
    form = PauseForm(request.POST)
    if not form.is_valid():
        return views.show_overview(request, pause_form=form)
    _pause(request, shop=form.cleaned_data["shop"], reason=form.cleaned_data["motif"])
    return _back(request)


@staff_action
def pause_till(request: HttpRequest, *, terminal_id: int) -> HttpResponse:
    terminal = get_object_or_404(Terminal, pk=terminal_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return views.show_till(request, terminal_id=terminal_id, reason_form=form)
    _pause(request, terminal=terminal, reason=form.cleaned_data["motif"])
    return _to_till(terminal_id)


def _pause(request: HttpRequest, *, reason: str, shop: Shop | None = None, terminal: Terminal | None = None) -> None:
    made = pause_posting(shop=shop, terminal=terminal, reason=reason)
    log.warning("operator_paused", by=request.user.get_username(), scope=made.scope)
    if made.reason == reason:
        words = _(
            "En pause. Les caisses peuvent continuer d’envoyer : tout est gardé, et sera enregistré à la reprise."
        )
        messages.success(request, words)
    else:
        messages.warning(request, _("C’était déjà en pause ; le premier motif reste."))


@staff_action
def resume(request: HttpRequest) -> HttpResponse:
    """Lift the pause that its scope names. If somebody else has lifted it already, say so."""
    scope = request.POST.get("pause", "")
    found = Pause.objects.filter(pk=scope).first()
    # By id only: a pause can be lifted even if its shop or till is gone.
    shop = found and found.shop_id and Shop(pk=found.shop_id)
    terminal = found and found.terminal_id and Terminal(pk=found.terminal_id)
    if found and resume_posting(shop=shop or None, terminal=terminal or None):
        log.warning("operator_resumed", by=request.user.get_username(), scope=scope)
        messages.success(request, _("La pause est levée : ce qui attendait va être enregistré."))
    else:
        messages.warning(request, _("Cette pause était déjà levée."))
    return _back(request)


@staff_action
def retry(request: HttpRequest) -> HttpResponse:
    form = RetryForm(request.POST)
    if not form.is_valid() or is_deadly(form.cleaned_data["code"], form.cleaned_data["params"] or None):
        raise Http404
    shop = get_object_or_404(Shop, code=form.cleaned_data["boutique"])
    chosen = {name: form.cleaned_data[name] for name in ("code", "params")}
    report = operations.retry_failures(shop=shop, **chosen, by=request.user.get_username())
    level = messages.WARNING if report.left or not report.tried else messages.SUCCESS
    messages.add_message(request, level, notices.retried_words(report))
    return HttpResponseRedirect(reverse("operations:failed"))


def _to_till(terminal_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("operations:till", kwargs={"terminal_id": terminal_id}))


def _back(request: HttpRequest) -> HttpResponse:
    """Redirect to the page that held the form, if it is one of ours."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return HttpResponseRedirect(target if is_ours else reverse("operations:overview"))
