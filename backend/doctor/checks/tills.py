"""Checks of tills and devices that cannot call, are refused, have a wrong clock, or fell silent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Subquery

from backend.doctor.refused_calls import REFUSED_CALL_AGE_MAX, similar_serials
from backend.doctor.registry import FINDINGS_MAX, Finding, Scope, check
from backend.doctor.wording import age, count, listed, moment, name_shop, name_till, sentence
from backend.sales.models import Heartbeat
from backend.shops.models import (
    AuthMode,
    Device,
    DeviceState,
    EnrolmentCode,
    RefusedCall,
    Terminal,
    TerminalState,
)

CLOCK_SKEW_MAX = timedelta(minutes=5)
# A weekend is no reason to worry.
SILENCE_MAX = timedelta(days=3)
NAMED_MAX = 5


@check(promise="P8", title="Chaque caisse en service a sa boutique")
def terminals_without_shop(scope: Scope) -> Iterator[Finding]:
    tills = Terminal.objects.filter(
        shop=None, state=TerminalState.ACTIVE, **scope.narrow(shop="shop_id", terminal="pk")
    )
    for till in tills.order_by("pk").iterator():
        serials = list(Device.objects.filter(terminal=till).order_by("pk").values_list("serial", flat=True)[:20])
        yield Finding(
            sentence(f"{name_till(till.pk)} n'a pas de boutique ; ses appareils : {listed(serials) or 'aucun'}"),
            "Tout ce que cette caisse envoie est refusé (terminal_sans_boutique) et reste chez elle. Donnez-lui sa"
            " boutique.",
        )


@check(title="Chaque caisse en service a un appareil qui peut appeler")
def terminals_without_device(scope: Scope) -> Iterator[Finding]:
    """A note, not a fault: a till may wait for its first device, or be kept after its last. Tills of the back office
    have none."""
    tills = Terminal.objects.filter(state=TerminalState.ACTIVE, is_office=False, **scope.narrow(terminal="pk"))
    active = Device.objects.filter(terminal=OuterRef("pk"), state=DeviceState.ACTIVE)
    codes = EnrolmentCode.objects.filter(terminal=OuterRef("pk"), used_at=None, expires_at__gt=datetime.now(UTC))
    for till in tills.exclude(Exists(active)).exclude(Exists(codes)).order_by("pk").iterator():
        yield Finding(
            sentence(f"{name_till(till.pk)} n'a aucun appareil actif"),
            "Plus rien n'arrivera de cette caisse : désactivez-la, ou enrôlez-lui un appareil.",
            is_note=True,
        )


@check(promise="P8", title="Chaque appareil est d'une caisse qui existe")
def orphan_devices(scope: Scope) -> Iterator[Finding]:
    """A foreign key prevents this, but a restored or repaired database may have been without it for a while."""
    till = Terminal.objects.filter(pk=OuterRef("terminal_id"))
    for device in Device.objects.filter(~Exists(till), **_of_device(scope)).order_by("pk"):
        yield Finding(
            sentence(f"l'appareil {device.serial} est d'une caisse n° {device.terminal_id} qui n'existe pas"),
            "Ce qu'il envoie est refusé. Associez-le à une caisse.",
        )


@check(title="Aucun appareil inconnu ne frappe à la porte", is_global=True)
def unknown_serials(_scope: Scope) -> Iterator[Finding]:
    now = datetime.now(UTC)
    known = Device.objects.filter(serial=OuterRef("serial"))
    refused_calls = RefusedCall.objects.filter(code="terminal_inconnu", last_at__gt=now - REFUSED_CALL_AGE_MAX).exclude(
        Exists(known)
    )
    serials = refused_calls.values("serial").annotate(last_at=Max("last_at")).order_by("-last_at", "serial")
    for index, row in enumerate(serials.iterator()):
        # Anybody may invent thousands of serials: only those that are shown are looked into.
        details = _details(refused_calls.filter(**row).first()) if index < FINDINGS_MAX else ""
        yield Finding(
            sentence(f"« {row['serial']} » a appelé {moment(row['last_at'])} et personne ne le connaît{details}"),
            "Si c'est une caisse de la boutique, ce qu'elle vend n'arrive pas. Enrôlez l'appareil, ou corrigez le"
            " numéro de série dans son application. Suivez-le avec --terminal.",
        )


def _details(refused_call: RefusedCall | None) -> str:
    if refused_call is None:
        return ""
    near = similar_serials(refused_call.serial, limit=3)
    parts = [
        f"depuis {refused_call.ip}" if refused_call.ip else "",
        f"application {refused_call.app_version}" if refused_call.app_version else "",
    ]
    parts.append(f"ressemble à {listed(near)}" if near else "")
    return "".join(f", {one}" for one in parts if one)


@check(title="Chaque appareil prouve par un jeton qui il est")
def serial_mode_devices(scope: Scope) -> Iterator[Finding]:
    """A note, not a fault: the old fleet works without tokens, and moves to them in its own time."""
    devices = Device.objects.filter(auth_mode=AuthMode.SERIAL, **_of_device(scope))
    devices = devices.exclude(state=DeviceState.DISABLED).order_by("serial")
    total = devices.count()
    if total:
        serials = listed(devices.values_list("serial", flat=True)[:NAMED_MAX])
        more = f" et {total - NAMED_MAX} de plus" if total > NAMED_MAX else ""
        yield Finding(
            sentence(f"{count(total, 'appareil')} sans jeton : {serials}{more}"),
            "Qui connaît leur numéro de série peut envoyer des ventes en leur nom. Donnez-leur un jeton.",
            is_note=True,
        )


@check(title="Les caisses sont à l'heure")
def till_clocks(scope: Scope) -> Iterator[Finding]:
    devices = Device.objects.filter(state=DeviceState.ACTIVE, clock_skew_s__isnull=False, **_of_device(scope))
    limit_s = CLOCK_SKEW_MAX.total_seconds()
    for device in devices.exclude(clock_skew_s__range=(-limit_s, limit_s)).order_by("serial").iterator():
        skew_s = device.clock_skew_s
        assert skew_s is not None, "the others are left out"
        word = "avance" if skew_s > 0 else "retarde"
        yield Finding(
            sentence(
                f"l'horloge de {device.serial} ({name_till(device.terminal_id)}) {word} de"
                f" {age(timedelta(seconds=abs(skew_s)))}"
            ),
            "Ses ventes peuvent être comptées un autre jour que celui où elles ont été faites. Mettez l'appareil à"
            " l'heure.",
        )


@check(title="Aucune caisse ne se tait en gardant des ventes")
def silent_tills(scope: Scope) -> Iterator[Finding]:
    """Find tills whose last heartbeat said that they hold sales, and that have been silent since."""
    now = datetime.now(UTC)
    newest = Heartbeat.objects.filter(terminal=OuterRef("pk")).order_by("-at", "-pk")
    tills = (
        Terminal.objects.filter(state=TerminalState.ACTIVE, **scope.narrow(terminal="pk"))
        .annotate(said_at=Subquery(newest.values("at")[:1]), held=Subquery(newest.values("held_count")[:1]))
        .filter(held__gt=0, said_at__lt=now - SILENCE_MAX)
        .order_by("pk")
    )
    for till in tills.iterator():
        devices = Device.objects.filter(terminal=till).exclude(last_seen_at=None)
        seen_at = devices.order_by("-last_seen_at").values_list("last_seen_at", flat=True).first()
        heard_at = max(at for at in (till.said_at, seen_at) if at is not None)
        if heard_at < now - SILENCE_MAX:
            yield Finding(
                sentence(
                    f"{name_till(till.pk)} ({name_shop(till.shop_id)}) n'a rien dit depuis {age(now - heard_at)}"
                    f" et gardait {count(till.held, 'vente')}"
                ),
                "Ces ventes manquent dans les chiffres de la boutique. Cherchez l'appareil et rendez-lui le réseau.",
            )


def _of_device(scope: Scope) -> dict[str, int | None]:
    return scope.narrow(shop="terminal__shop_id")
