"""The operators' pages. Each makes a few bounded queries, however much is stored."""

from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from backend.ops.models import DoctorRun
from backend.ops.pages import backlog, failures, summary
from backend.ops.pages.access import staff_page
from backend.ops.pages.forms import CallsForm, PauseForm, ReasonForm
from backend.ops.pages.links import flower_address
from backend.ops.pages.refused_calls import find_calls
from backend.sales.models import Lane
from backend.sales.tills.pauses import pauses_of
from backend.shops.models import Device, Shop, Terminal


@staff_page
def overview(request: HttpRequest) -> HttpResponse:
    return show_overview(request)


def show_overview(request: HttpRequest, *, pause_form: PauseForm | None = None) -> HttpResponse:
    """`pause_form`: a refused form, to be shown again."""
    pauses = summary.all_pauses()
    waiting = backlog.waiting_tills(pauses=pauses)
    context = {
        "summary": summary.summarize(waiting),
        "pauses": pauses,
        "oldest": backlog.described(waiting[: backlog.OLDEST_MAX], pauses=pauses),
        "till_count": len(waiting),
        "has_failures": failures.any_failed(),
        "pause_form": pause_form or PauseForm(),
    }
    return _show(request, "ops/overview.html", context, status=400 if pause_form else 200)


@staff_page
def tills(request: HttpRequest) -> HttpResponse:
    code = request.GET.get("boutique", "")
    shop = get_object_or_404(Shop, code=code) if code else None
    pauses = summary.all_pauses()
    waiting = backlog.waiting_tills(pauses=pauses, **({"shop_id": shop.pk} if shop else {}))
    page = Paginator(waiting, backlog.PAGE_TILLS_MAX).get_page(request.GET.get("page"))
    context: dict[str, object] = {
        "shop": shop,
        "shops": [] if shop else backlog.by_shop(waiting),
        "sums": backlog.Sums.of(waiting),
        "page": page,
        "rows": backlog.described(list(page), pauses=pauses),
        "reason_form": ReasonForm(),
        "pause": next((one for one in pauses if shop and one.scope == f"shop:{shop.pk}"), None),
    }
    return _show(request, "ops/tills.html", context)


@staff_page
def till(request: HttpRequest, *, terminal_id: int) -> HttpResponse:
    return show_till(request, terminal_id=terminal_id)


def show_till(request: HttpRequest, *, terminal_id: int, reason_form: ReasonForm | None = None) -> HttpResponse:
    """`reason_form`: a refused form, to be shown again."""
    terminal = get_object_or_404(Terminal.objects.select_related("shop"), pk=terminal_id)
    pauses = list(pauses_of(shop_id=terminal.shop_id, terminal_id=terminal.pk).order_by("since"))
    context: dict[str, object] = {
        "terminal": terminal,
        "row": backlog.waiting_of(terminal, pauses=pauses),
        "batches": backlog.batches_of(terminal.pk),
        "lane": Lane.objects.filter(pk=terminal.pk).first(),
        "pauses": pauses,
        "own_pause": next((pause for pause in pauses if pause.terminal_id), None),
        "devices": Device.objects.filter(terminal=terminal).order_by("-last_seen_at", "pk"),
        "reason_form": reason_form or ReasonForm(),
    }
    with timezone.override(ZoneInfo(terminal.shop.timezone if terminal.shop else "UTC")):
        return _show(request, "ops/till.html", context, status=400 if reason_form else 200)


@staff_page
def failed(request: HttpRequest) -> HttpResponse:
    return _show(request, "ops/failed.html", {"failures": failures.find_failures()})


@staff_page
def refused_calls(request: HttpRequest) -> HttpResponse:
    form = CallsForm(request.GET, label_suffix="")
    serial = form.cleaned_data["serie"] if form.is_valid() else ""
    found = find_calls(serial=serial)
    return _show(request, "ops/calls.html", {"form": form, "serial": serial, "calls": found})


@staff_page
def doctor(request: HttpRequest) -> HttpResponse:
    runs = list(DoctorRun.objects.order_by("-at")[:20])
    return _show(request, "ops/doctor.html", {"run": runs[0] if runs else None, "before": runs[1:]})


def _show(request: HttpRequest, template: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    return render(request, template, {**context, "flower_address": flower_address()}, status=status)
