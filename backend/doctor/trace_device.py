"""Traces one device's sales from the till to the shop's pages, step by step, and says where they stop.

Each step checks a place where sales have been lost before: calls of unknown serials, a till without a shop, sales
without a shop or a till, pages that do not show a sale.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Max, Q, QuerySet, Sum

from backend.doctor.checks.tills import CLOCK_SKEW_MAX
from backend.doctor.refused_calls import REFUSED_CALL_AGE_MAX, describe_refused_calls, look_alikes, similar_serials
from backend.doctor.wording import age, count, listed, moment, name_shop, name_till, sentence
from backend.sales.models import RECORDED, Batch, Heartbeat, Lane, OutcomeStatus, Sale, SaleKind, SaleOutcome
from backend.sales.repair.open_entries import open_entries
from backend.sales.tills.pauses import pauses_of
from backend.shops.models import AuthMode, Device, DeviceState, RefusedCall, Shop, Terminal, TerminalState
from backend.shops.zones import is_known_timezone

SIMILAR_MAX = 3
SENDING = "POST ventes/sync"


@dataclass(frozen=True, slots=True)
class Step:
    """One place on the way. `is_fault`: sales stop here, or something is wrong here."""

    title: str
    sentences: list[str]
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    serial: str
    steps: list[Step]
    conclusion: str
    # The till to check next; None if the serial leads to no till.
    terminal: Terminal | None = None
    is_fault: bool = False


@dataclass
class Trail:
    """What the steps have found so far of a known device."""

    device: Device
    till: Terminal | None
    steps: list[Step] = field(default_factory=list)
    # Why nothing can arrive from it now; "" if nothing prevents it.
    obstacle: str = ""
    arrived: int = 0
    waiting: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    recorded_by_shop: dict[int, int] = field(default_factory=dict)

    @property
    def known_till(self) -> Terminal:
        """The till, for the steps that run only if there is one."""
        assert self.till is not None
        return self.till

    def add(self, title: str, *sentences: str, obstacle: str = "", is_fault: bool = False) -> None:
        self.steps.append(Step(title, [one for one in sentences if one], is_fault or bool(obstacle)))
        self.obstacle = self.obstacle or obstacle


def trace_device(serial: str) -> Trace:
    """Return what became of everything that the device with this serial sent, known or not. Only reads."""
    device = Device.objects.filter(serial=serial).first()
    if device is None:
        return _trace_unknown(serial)
    trail = Trail(device, Terminal.objects.select_related("shop").filter(pk=device.terminal_id).first())
    _look_at_refused_calls(trail)
    _look_at_device(trail)
    _look_at_till(trail)
    if trail.till is not None:
        _look_at_signs_of_life(trail)
        _look_at_batches(trail)
        _look_at_outcomes(trail)
        _look_at_pages(trail)
        _look_at_open_ends(trail)
    return Trace(
        serial,
        trail.steps,
        _conclude(trail),
        terminal=trail.till,
        is_fault=not trail.arrived or any(step.is_fault for step in trail.steps),
    )


def _trace_unknown(serial: str) -> Trace:
    refused_calls = RefusedCall.objects.filter(serial=serial)
    near = similar_serials(serial, limit=SIMILAR_MAX) or look_alikes(serial, limit=SIMILAR_MAX)
    likely = f" (le plus proche : {listed(near)})" if near else ""
    steps = [
        Step(
            "Appels refusés",
            describe_refused_calls(refused_calls) or ["Aucun appel refusé sous ce numéro."],
            is_fault=True,
        ),
        Step("Appareil", [f"Aucun appareil n'a le numéro de série « {serial} »{likely}."], is_fault=True),
    ]
    reason = f"aucun appareil n'a le numéro de série « {serial} »{likely}"
    calls = refused_calls.aggregate(calls=Sum("count"))["calls"] or 0
    if calls:
        advice = f"ses {calls} appels ont été refusés" if calls > 1 else "son appel a été refusé"
        reason += f", et {advice}. Enrôlez-le, ou corrigez le numéro dans son application"
    else:
        reason += ", et personne n'a appelé sous ce numéro. Vérifiez son adresse et son en-tête X-Device-Serial"
        nameless = RefusedCall.objects.filter(
            code="header_manquant", last_at__gt=datetime.now(UTC) - REFUSED_CALL_AGE_MAX
        )
        steps += (
            [Step("Appels sans numéro de série", lines, is_fault=True)]
            if (lines := describe_refused_calls(nameless))
            else []
        )
    return Trace(serial, steps, f"Rien n'est arrivé de cet appareil : {reason}.", is_fault=True)


def _look_at_refused_calls(trail: Trail) -> None:
    refused_calls = RefusedCall.objects.filter(serial=trail.device.serial)
    lines = describe_refused_calls(refused_calls) or ["Aucun appel refusé."]
    # A call that was refused after the last accepted batch is what the till is stuck at.
    accepted_at = _batches(trail).aggregate(at=Max("received_at"))["at"]
    since = accepted_at or datetime.now(UTC) - REFUSED_CALL_AGE_MAX
    refused = refused_calls.filter(call=SENDING, last_at__gt=since).order_by("-last_at").first()
    obstacle = ""
    if refused is not None:
        obstacle = f"son dernier envoi a été refusé le {moment(refused.last_at)} : {refused.code} « {refused.detail} »"
    trail.add("Appels refusés", *lines, obstacle=obstacle)


def _look_at_device(trail: Trail) -> None:
    device = trail.device
    obstacle = ""
    if device.state == DeviceState.DISABLED:
        obstacle = "cet appareil est désactivé"
    elif device.auth_mode == AuthMode.TOKEN and not (device.token_hash or device.next_token_hash):
        obstacle = "cet appareil doit montrer un jeton et n'en a reçu aucun"
    trail.add(
        "Appareil",
        f"État : {device.get_state_display().lower()} ; authentification : {device.get_auth_mode_display().lower()} ;"
        f" réponses : {device.get_answer_mode_display().lower()}.",
        f"Remplacé le {moment(device.replaced_at)} : ce qu'il envoie encore est pris, et signalé."
        if device.replaced_at
        else "",
        sentence(obstacle) if obstacle else "",
        obstacle=obstacle,
    )


def _look_at_till(trail: Trail) -> None:
    till = trail.till
    obstacle = ""
    if till is None:
        obstacle = f"sa caisse n° {trail.device.terminal_id} n'existe pas"
    elif till.shop is None:
        obstacle = f"la {name_till(till.pk)} n'a pas de boutique"
    elif till.state == TerminalState.DISABLED:
        obstacle = f"la {name_till(till.pk)} est désactivée"
    where = sentence(f"{name_till(till.pk)}, {name_shop(till.shop_id)}") if till and till.shop else ""
    others = Device.objects.filter(terminal_id=trail.device.terminal_id).exclude(pk=trail.device.pk)
    serials = [f"{other.serial} ({other.get_state_display().lower()})" for other in others.order_by("pk")[:20]]
    also = sentence(f"autres appareils de cette caisse : {listed(serials)}") if serials else ""
    trail.add("Caisse et boutique", where, sentence(obstacle) if obstacle else "", also, obstacle=obstacle)


def _look_at_signs_of_life(trail: Trail) -> None:
    device = trail.device
    where = f" ({device.last_ip})" if device.last_ip else ""
    lines = [f"Vu pour la dernière fois : {moment(device.last_seen_at)}{where}."]
    if device.app_version:
        lines.append(f"Application {device.app_version}.")
    is_off = device.clock_skew_s is not None and abs(device.clock_skew_s) > CLOCK_SKEW_MAX.total_seconds()
    if device.clock_skew_s is not None:
        lines.append(f"Son horloge : {device.clock_skew_s:+.0f} s par rapport à la nôtre.")
    heartbeat = Heartbeat.objects.filter(terminal=trail.till, device=device).order_by("-at").first()
    if heartbeat is not None:
        lines.append(sentence(f"le {moment(heartbeat.at)} il disait garder {count(heartbeat.held_count, 'vente')}"))
    trail.add("Signes de vie", *lines, is_fault=is_off)


def _look_at_batches(trail: Trail) -> None:
    found = _batches(trail).aggregate(
        batches=Count("pk"),
        sales=Sum("sale_count"),
        waiting=Sum(F("sale_count") - F("next_position") + 1, filter=Q(settled_at=None)),
        last=Max("received_at"),
    )
    trail.arrived, trail.waiting = found["sales"] or 0, found["waiting"] or 0
    if not found["batches"]:
        trail.add("Lots reçus", "Aucun.", is_fault=True)
        return
    oldest = _batches(trail).filter(settled_at=None).order_by("pk").first()
    trail.add(
        "Lots reçus",
        f"{count(found['batches'], 'lot')}, {count(trail.arrived, 'vente')} ; le dernier le {moment(found['last'])}.",
        f"{count(trail.waiting, 'vente')} à enregistrer ; le plus ancien lot attend depuis"
        f" {age(datetime.now(UTC) - oldest.received_at)} (reçu {oldest.receipt})."
        if oldest
        else "Tout est traité.",
    )


def _look_at_outcomes(trail: Trail) -> None:
    outcomes = SaleOutcome.objects.filter(terminal=trail.till, batch__device=trail.device)
    trail.by_status = dict(outcomes.values_list("status").annotate(count=Count("at")).order_by("status"))
    recorded = Sale.objects.filter(terminal=trail.till, device=trail.device)
    trail.recorded_by_shop = dict(recorded.values_list("shop_id").annotate(count=Count("pk")).order_by("shop_id"))
    promised = sum(trail.by_status.get(status, 0) for status in RECORDED)
    there = sum(trail.recorded_by_shop.values())
    trail.add(
        "Ce que ses ventes sont devenues",
        *(f"{OutcomeStatus(status).label} : {number}." for status, number in trail.by_status.items()),
        "" if trail.by_status else "Aucune n'est encore traitée.",
        f"{promised} disent être enregistrées, et la table des ventes en a {there}." if promised != there else "",
        is_fault=promised != there,
    )


def _look_at_pages(trail: Trail) -> None:
    """Count as the pages do: a sale is shown if its shop exists, under its business day in the shop's time zone."""
    till = trail.known_till
    shop = till.shop
    lines = []
    hidden = _hidden(trail)
    if shop is not None:
        shown = Sale.objects.filter(shop=shop, terminal=till)
        today = _today(shop)
        of_today = shown.filter(business_day=today)
        documents, sales = of_today.count(), of_today.filter(kind=SaleKind.SALE).count()
        lines += [
            f"Page Ventes de {shop.code}, cette caisse : {count(shown.count(), 'document')}.",
            f"Aujourd'hui ({today}) : {count(documents, 'document')} ; tableau de bord : {count(sales, 'vente')}.",
        ]
        last = shown.exclude(business_day=today).aggregate(day=Max("business_day"))["day"]
        if last is not None:
            lines.append(f"Les autres sont comptées à d'autres jours, le dernier {last}.")
    for shop_id, number in trail.recorded_by_shop.items():
        if shop is None or shop_id != shop.pk:
            where = "sur aucune page" if shop_id in hidden else "sur ses pages à elle"
            lines.append(sentence(f"{count(number, 'vente')} sous la {name_shop(shop_id)}, {where}"))
    trail.add("Ce que montrent les pages", *lines, is_fault=bool(hidden))


def _look_at_open_ends(trail: Trail) -> None:
    till, now = trail.known_till, datetime.now(UTC)
    lines = []
    lane = Lane.objects.filter(pk=till.pk).first()
    if lane is not None and lane.sequence_holes:
        gaps = [f"{first} à {last}" if first != last else f"{first}" for first, last in lane.sequence_holes]
        lines.append(sentence(f"numéros que la caisse a sautés (compteur « sequence ») : {listed(gaps)}"))
    lines += [
        sentence(f"en pause depuis {age(now - pause.since)} ({pause.scope}) {pause.reason}".rstrip())
        for pause in pauses_of(shop_id=till.shop_id, terminal_id=till.pk).order_by("since")
    ]
    open_count = open_entries(shop_id=till.shop_id, terminal_id=till.pk).count() if till.shop_id else 0
    if open_count:
        lines.append(f"{count(open_count, 'vente')} à corriger par une personne (page « À corriger »).")
    trail.add("Ce qui reste ouvert", *(lines or ["Rien."]))


def _conclude(trail: Trail) -> str:
    if not trail.arrived:
        reason = trail.obstacle
        if not reason and trail.device.last_seen_at:
            reason = f"il appelle (le {moment(trail.device.last_seen_at)}), mais n'a jamais envoyé de ventes"
        return f"Rien n'est arrivé de cet appareil : {reason or 'il ne nous a jamais appelés'}."
    recorded = sum(trail.recorded_by_shop.values())
    parts = [
        "1 vente arrivée" if trail.arrived == 1 else f"{trail.arrived} ventes arrivées",
        "1 enregistrée" if recorded == 1 else f"{recorded} enregistrées",
    ]
    if trail.waiting:
        parts.append(f"{trail.waiting} en attente")
    for status, number in trail.by_status.items():
        if status not in RECORDED:
            parts.append(f"{number} « {OutcomeStatus(status).label} »")
    hidden = _hidden(trail)
    seen = [name_shop(shop_id) for shop_id in trail.recorded_by_shop if shop_id not in hidden]
    if seen:
        parts.append(f"visible{'s' if recorded > 1 else ''} dans la {listed(seen)}")
    if hidden:
        lost = sum(trail.recorded_by_shop[shop_id] for shop_id in hidden)
        parts.append(f"{lost} sans boutique, donc sur aucune page")
    but = f" Mais {trail.obstacle}." if trail.obstacle else ""
    return f"{', '.join(parts)}.{but}"


def _hidden(trail: Trail) -> set[int]:
    """Return the shops that do not exist but have recorded sales of the device."""
    shops = set(trail.recorded_by_shop)
    return shops - set(Shop.objects.filter(pk__in=shops).values_list("pk", flat=True))


def _batches(trail: Trail) -> QuerySet[Batch]:
    return Batch.objects.filter(terminal_id=trail.device.terminal_id, device=trail.device)


def _today(shop: Shop) -> date:
    # An unknown zone is reported by a check; here it must not hide the rest.
    return datetime.now(ZoneInfo(shop.timezone) if is_known_timezone(shop.timezone) else UTC).date()
