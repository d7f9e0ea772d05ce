"""The terminals' calls. Each view reads the request, calls one service or selector, and answers."""

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.utils.cache import get_conditional_response, patch_cache_control
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import parameters
from backend.api.bodies import read_json_body
from backend.api.callers import address_of, app_version_of
from backend.api.description import (
    describe_fates,
    describe_receipt,
    describe_receipts,
    describe_state,
    describe_sync,
)
from backend.api.holding import COMPLETE_HOLD_S, preferred_wait_s, wait_until_settled
from backend.api.limits import LIMITS
from backend.api.problems import Problem
from backend.sales import receipts
from backend.sales.backlog import retry_after_s, waiting_of
from backend.sales.fates import fates
from backend.sales.intake import Accepted, Caller, give_answer, receive_batch
from backend.sales.models import Batch, Lane
from backend.sales.pausing import pauses_of
from backend.sales.repair import open_entries
from backend.shops.models import AnswerMode, Device

RECEIPTS_PAGE_MAX = 50
NUMBERS_GET_MAX = 50
NUMBERS_POST_MAX = 1000


class SyncView(APIView):
    """Hand over a batch."""

    @describe_sync
    def post(self, request: Request) -> Response:
        device: Device = request.user
        key = parameters.idempotency_key(request)
        body = read_json_body(request)
        caller = Caller(device, address_of(request), app_version_of(request), request._request.request_id)
        accepted = receive_batch(caller=caller, body=body, key=key)
        if device.answer_mode == AnswerMode.COMPLETE:
            response = self._answer_complete(accepted, device)
        else:
            response = self._answer(accepted, device, wait_s=preferred_wait_s(request.headers.get("Prefer", "")))
        if accepted.is_replay and key is not None:
            response["Idempotency-Replayed"] = "true"
        return response

    def _answer(self, accepted: Accepted, device: Device, *, wait_s: int) -> Response:
        batch = wait_until_settled(accepted.batch, seconds=wait_s) if wait_s else accepted.batch
        if wait_s and batch.settled_at:
            return _created(batch, device)
        response = Response(receipts.acknowledgement(batch, device), status=202)
        response["Location"] = receipts.url_of(batch)
        response["Retry-After"] = str(retry_after_s())
        return response

    def _answer_complete(self, accepted: Accepted, device: Device) -> Response:
        """No 2xx before every sale has its outcome: such a till takes any 2xx for "all is recorded"."""
        batch = wait_until_settled(accepted.batch, seconds=COMPLETE_HOLD_S)
        if batch.settled_at is None:
            raise Problem("enregistrement_en_cours", retry_after_s=retry_after_s())
        response = _created(batch, device)
        give_answer(batch)
        return response


def _created(batch: Batch, device: Device) -> Response:
    response = Response(receipts.receipt(batch, device), status=201)
    response["Location"] = receipts.url_of(batch)
    response["ETag"] = receipts.etag_of(batch)
    return response


class ReceiptView(APIView):
    """One receipt: what became of each sale of a batch."""

    @describe_receipt
    def get(self, request: Request, recu: str) -> Response:
        device: Device = request.user
        since_version = parameters.whole_number(request, "depuis", minimum=0)
        with_lines = parameters.flag(request, "lignes", default=True)
        batch = self._find(recu, device)
        etag = receipts.etag_of(batch)
        wait_s = preferred_wait_s(request.headers.get("Prefer", ""))
        if wait_s:
            batch = wait_until_settled(batch, seconds=wait_s)
            etag = receipts.etag_of(batch)
        unchanged = get_conditional_response(request._request, etag=etag)
        # Only If-None-Match is ours: a 412 is for requests that change something.
        if unchanged is not None and unchanged.status_code == 304:
            response = Response(status=304)
        else:
            response = Response(receipts.receipt(batch, device, since_version=since_version, with_lines=with_lines))
        response["ETag"] = etag
        patch_cache_control(response, private=True, no_cache=True)
        if batch.settled_at is None:
            response["Retry-After"] = str(retry_after_s())
        return response

    def _find(self, recu: str, device: Device) -> Batch:
        # get() and not first(), here and for the device: the order that first() adds costs a tenth of a poll.
        try:
            return Batch.objects.get(receipt=uuid.UUID(recu), terminal_id=device.terminal_id)
        except (ValueError, Batch.DoesNotExist) as error:
            raise Problem("recu_inconnu") from error


class ReceiptListView(APIView):
    """My receipts, newest first."""

    @describe_receipts
    def get(self, request: Request) -> Response:
        device: Device = request.user
        only_open = parameters.flag(request, "ouverts", default=False)
        before = parameters.whole_number(request, "curseur", minimum=1)
        batches = Batch.objects.filter(terminal_id=device.terminal_id).order_by("-pk")
        if only_open:
            batches = batches.filter(settled_at=None)
        if before is not None:
            batches = batches.filter(pk__lt=before)
        page = list(batches[: RECEIPTS_PAGE_MAX + 1])
        following = None
        if len(page) > RECEIPTS_PAGE_MAX:
            page = page[:RECEIPTS_PAGE_MAX]
            following = f"{request.path}?curseur={page[-1].pk}" + ("&ouverts=1" if only_open else "")
        return Response({"recus": [receipts.summary(batch) for batch in page], "suivant": following})


class NumbersBody(msgspec.Struct):
    numeros: list[str]


class FatesView(APIView):
    """What became of these numbers, when the receipt was lost."""

    describe_get, describe_post = describe_fates(get_max=NUMBERS_GET_MAX, post_max=NUMBERS_POST_MAX)

    @describe_get
    def get(self, request: Request) -> Response:
        return self._answer(request, request.query_params.getlist("numero_facture"), at_most=NUMBERS_GET_MAX)

    @describe_post
    def post(self, request: Request) -> Response:
        try:
            body = msgspec.json.decode(read_json_body(request), type=NumbersBody)
        except msgspec.ValidationError as error:
            raise Problem("parametre_invalide", 'Le corps attendu est {"numeros": ["…"]}') from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem("json_invalide") from error
        return self._answer(request, body.numeros, at_most=NUMBERS_POST_MAX)

    def _answer(self, request: Request, numbers: list[str], *, at_most: int) -> Response:
        if not 1 <= len(numbers) <= at_most:
            raise Problem("parametre_invalide", f"De 1 à {at_most} numéros de facture sont attendus")
        numbers = [number.strip() for number in numbers]
        return Response({"ventes": fates(terminal_id=request.user.terminal_id, numbers=numbers)})


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


@extend_schema(exclude=True)
class NowhereView(APIView):
    """Any other address below the API's: refused as the API refuses, not with a page."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise Problem("introuvable")
