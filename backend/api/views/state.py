"""How the server sees a till: its clock, its limits, what is open; and what the till says it still holds."""

from datetime import UTC, datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.limits import LIMITS
from backend.api.openapi.state import describe_state
from backend.sales import receipts
from backend.sales.backlog import waiting_of
from backend.sales.models import Lane
from backend.sales.pausing import pauses_of
from backend.sales.repair import open_entries
from backend.shops.models import Device


class StateView(APIView):
    """The server's clock, this till's shop and limits, and what is still open."""

    @describe_state
    def get(self, request: Request) -> Response:
        return Response(_state(request.user))


def _state(device: Device) -> dict[str, Any]:
    shop, terminal = device.terminal.shop, device.terminal
    waiting = waiting_of(terminal.pk)
    lane = Lane.objects.filter(pk=terminal.pk).first()
    return {
        "heure": receipts.timestamp(datetime.now(UTC)),
        "ecart_horloge_s": device.clock_skew_s,
        "boutique": receipts.describe_shop(shop),
        "terminal": receipts.describe_terminal(terminal, device),
        "mode_reponse": device.answer_mode,
        "limites": LIMITS,
        "en_attente": {"lots": waiting["batches"], "ventes": waiting["sales"]},
        "a_corriger": open_entries(shop_id=shop.pk, terminal_id=terminal.pk).count(),
        "trous": [{"de": first, "a": last} for first, last in (lane.sequence_holes if lane else [])],
        "pause": pauses_of(shop_id=shop.pk, terminal_id=terminal.pk).exists(),
    }
