"""The server's view of a till: clock, limits, open work; and the heartbeat, in which the till reports what it holds."""

from datetime import UTC, datetime

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.answers.limits import LIMITS
from backend.api.answers.tills import EnAttente, Etat
from backend.api.authentication import device_of
from backend.api.bodies import decode_json_body
from backend.api.openapi.tills import describe_heartbeat, describe_state
from backend.sales.receipts import receipt
from backend.sales.receipts.answers import Trou
from backend.sales.receipts.backlog import waiting_of
from backend.sales.repair.open_entries import open_entries
from backend.sales.tills.heartbeat import WireHeartbeat, read_heartbeat, record_heartbeat
from backend.sales.tills.pauses import pauses_of
from backend.sales.tills.sequence_gaps import gaps_of
from backend.sales.wire.vocabulary import timestamp
from backend.shops.models import Device
from backend.shops.terminals import shop_of

EXPECTED = '{"heure": "…", "a_envoyer": {"nombre": 0, "montants": [], "plus_ancienne": null}, "sequence": 0}'


class StateView(APIView):
    """The server's clock, this till's shop and limits, and what is still open. A POST is also a heartbeat."""

    @describe_state
    def get(self, request: Request) -> Response:
        return Response(_state(device_of(request), now=datetime.now(UTC)))

    @describe_heartbeat
    def post(self, request: Request) -> Response:
        # Taken before the body is read: a slow line would make the till's clock look behind.
        now = datetime.now(UTC)
        device = device_of(request)
        body = decode_json_body(request, WireHeartbeat, expected=EXPECTED)
        record_heartbeat(device=device, heartbeat=read_heartbeat(body, shop=shop_of(device.terminal)), now=now)
        return Response(_state(device, now=now))


def _state(device: Device, *, now: datetime) -> Etat:
    shop, terminal = shop_of(device.terminal), device.terminal
    waiting = waiting_of(terminal.pk)
    gaps = gaps_of([terminal.pk]).get(terminal.pk, [])
    return Etat(
        heure=timestamp(now),
        ecart_horloge_s=device.clock_skew_s,
        boutique=receipt.describe_shop(shop),
        terminal=receipt.describe_terminal(terminal, device),
        mode_reponse=device.answer_mode,
        limites=LIMITS,
        en_attente=EnAttente(lots=waiting["batches"], ventes=waiting["sales"]),
        a_corriger=open_entries(shop_id=shop.pk, terminal_id=terminal.pk).count(),
        trous=[Trou(de=first, a=last) for first, last in gaps],
        pause=pauses_of(shop_id=shop.pk, terminal_id=terminal.pk).exists(),
    )
