"""Checks of shops: unreadable time zones and currencies, forgotten pauses."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db.models import Exists, OuterRef, Q

from backend.doctor.registry import Finding, Repair, Scope, check
from backend.doctor.wording import age, listed, moment, name_shop, name_till, sentence
from backend.sales.models import Pause
from backend.shops.models import Shop, Terminal
from backend.shops.zones import is_known_timezone

# A pause is for a repair or a stock count, which takes hours, not days.
PAUSE_AGE_MAX = timedelta(days=1)

_CURRENCY = re.compile(r"[A-Z]{3}")


@check(title="Chaque boutique a un fuseau horaire connu")
def shop_timezones(scope: Scope) -> Iterator[Finding]:
    for shop in Shop.objects.filter(**scope.narrow(shop="pk", terminal=None)).order_by("pk").iterator():
        if not is_known_timezone(shop.timezone):
            yield Finding(
                sentence(f"boutique {shop.code} : fuseau horaire inconnu « {shop.timezone} »"),
                "Aucune vente de cette boutique ne peut être enregistrée et ses pages ne s'ouvrent pas. Donnez-lui un"
                " fuseau comme Africa/Kinshasa, puis reprenez ses échecs avec « manage.py retry ».",
            )


@check(title="Chaque boutique a des devises lisibles")
def shop_currencies(scope: Scope) -> Iterator[Finding]:
    for shop in Shop.objects.filter(**scope.narrow(shop="pk", terminal=None)).order_by("pk").iterator():
        codes = [shop.currency, *(code.strip() for code in shop.currencies.split(","))]
        unread = [f"« {code} »" for code in codes if not _CURRENCY.fullmatch(code)]
        if unread:
            yield Finding(
                sentence(f"boutique {shop.code} : devises illisibles : {listed(unread)}"),
                "Ses ventes dans la devise que l'on voulait écrire sont refusées (devise_inconnue). Écrivez des codes"
                " de trois majuscules séparés par des virgules, comme CDF,USD.",
            )


@check(promise="P10", title="Aucune pause n'est oubliée")
def long_pauses(scope: Scope) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for pause in _pauses(scope).filter(since__lt=now - PAUSE_AGE_MAX).order_by("since"):
        where = "partout"
        if pause.terminal_id is not None:
            where = name_till(pause.terminal_id)
        elif pause.shop_id is not None:
            where = name_shop(pause.shop_id)
        reason = f" ({pause.reason})" if pause.reason else ""
        yield Finding(
            sentence(f"en pause depuis {age(now - pause.since)} ({moment(pause.since)}) : {where}{reason}"),
            "Les caisses remettent leurs ventes, mais rien n'est enregistré. « manage.py pause --resume » la lève.",
        )


@check(title="Aucune pause ne parle d'une boutique ou d'une caisse disparue", is_global=True)
def orphan_pauses(_scope: Scope) -> Iterator[Finding]:
    shop_is_gone = Q(shop__isnull=False) & ~Exists(Shop.objects.filter(pk=OuterRef("shop_id")))
    till_is_gone = Q(terminal__isnull=False) & ~Exists(Terminal.objects.filter(pk=OuterRef("terminal_id")))
    for pause in Pause.objects.filter(shop_is_gone | till_is_gone).order_by("pk"):
        yield Finding(
            sentence(f"pause {pause.scope} du {moment(pause.since)} : sa boutique ou sa caisse n'existe plus"),
            "Elle ne retient rien, mais elle trompe qui lit la liste des pauses.",
            Repair("Supprimer cette pause.", partial(_remove, pause.scope)),
        )


def _remove(scope: str) -> dict[str, object] | None:
    gone, _ = Pause.objects.filter(pk=scope).delete()
    return {"before": scope, "after": None} if gone else None


def _pauses(scope: Scope):
    """Return the pauses that concern the scope: a till is also paused by its shop's pause, and by a general one."""
    if scope.terminal is not None:
        on_shop = Q(terminal=None) & (Q(shop=None) | Q(shop_id=scope.terminal.shop_id))
        return Pause.objects.filter(on_shop | Q(terminal_id=scope.terminal.pk))
    if scope.shop is not None:
        tills = Terminal.objects.filter(shop=scope.shop).values("pk")
        return Pause.objects.filter(Q(terminal=None) & (Q(shop=None) | Q(shop=scope.shop)) | Q(terminal_id__in=tills))
    return Pause.objects.all()
