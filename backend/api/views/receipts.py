"""Calls about handed-over sales: receipts, and the status of sales by number."""

import uuid
from typing import Annotated

import msgspec
from django.utils.cache import get_conditional_response, patch_cache_control
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import parameters
from backend.api.authentication import device_of
from backend.api.bodies import decode_json_body
from backend.api.held_requests import preferred_wait_s, wait_until_settled
from backend.api.openapi.sales import (
    SoughtNumber,
    describe_receipt,
    describe_receipts,
    describe_status_lookup,
    describe_status_lookup_by_query,
)
from backend.api.problems import Problem
from backend.sales.models import Batch
from backend.sales.receipts import receipt
from backend.sales.receipts.answers import ListeDeRecus, Sorts
from backend.sales.receipts.backlog import retry_after_s
from backend.sales.receipts.status_lookup import look_up_statuses
from backend.shops.models import Device
from backend.shops.terminals import shop_id_of

RECEIPTS_PAGE_MAX = 50
NUMBERS_GET_MAX = 50
NUMBERS_POST_MAX = 1000


def scope_of(device: Device) -> dict[str, int]:
    """Return the filter for what a device may read: its till's, and only from the till's present shop."""
    return {"terminal_id": device.terminal_id, "shop_id": shop_id_of(device.terminal)}


class ReceiptView(APIView):
    """One receipt: the outcome of each sale of a batch."""

    @describe_receipt
    def get(self, request: Request, recu: str) -> Response:
        device = device_of(request)
        since_version = parameters.whole_number(request, "depuis", minimum=0)
        with_lines = parameters.flag(request, "lignes", default=True)
        batch = self._find(recu, device)
        etag = receipt.etag_of(batch)
        wait_s = preferred_wait_s(request.headers.get("Prefer", ""))
        if wait_s:
            batch = wait_until_settled(batch, seconds=wait_s)
            etag = receipt.etag_of(batch)
        unchanged = get_conditional_response(request._request, etag=etag)
        # Only If-None-Match is supported; Django may also return a 412, which is for requests that change something.
        if unchanged is not None and unchanged.status_code == 304:
            response = Response(status=304)
        else:
            response = Response(receipt.receipt(batch, device, since_version=since_version, with_lines=with_lines))
        response["ETag"] = etag
        patch_cache_control(response, private=True, no_cache=True)
        if batch.settled_at is None:
            response["Retry-After"] = str(retry_after_s())
        return response

    def _find(self, recu: str, device: Device) -> Batch:
        # get() and not first(), here and for the device: the ordering that first() adds costs a tenth of a poll.
        try:
            return Batch.objects.get(receipt=uuid.UUID(recu), **scope_of(device))
        except (ValueError, Batch.DoesNotExist) as error:
            raise Problem("recu_inconnu") from error


class ReceiptListView(APIView):
    """The receipts of the calling till, newest first."""

    @describe_receipts
    def get(self, request: Request) -> Response:
        device = device_of(request)
        only_open = parameters.flag(request, "ouverts", default=False)
        before = parameters.whole_number(request, "curseur", minimum=1)
        batches = Batch.objects.filter(**scope_of(device)).order_by("-pk")
        if only_open:
            batches = batches.filter(settled_at=None)
        if before is not None:
            batches = batches.filter(pk__lt=before)
        page = list(batches[: RECEIPTS_PAGE_MAX + 1])
        following = None
        if len(page) > RECEIPTS_PAGE_MAX:
            page = page[:RECEIPTS_PAGE_MAX]
            following = f"{request.path}?curseur={page[-1].pk}" + ("&ouverts=1" if only_open else "")
        return Response(ListeDeRecus(recus=[receipt.summary(batch) for batch in page], suivant=following))


class NumbersBody(msgspec.Struct):
    numeros: Annotated[list[SoughtNumber], Meta(extra_json_schema={"minItems": 1, "maxItems": NUMBERS_POST_MAX})]


class StatusLookupView(APIView):
    """The status of sales by number, for a till that lost its receipt."""

    @describe_status_lookup_by_query(at_most=NUMBERS_GET_MAX)
    def get(self, request: Request) -> Response:
        return self._answer(request, request.query_params.getlist("numero_facture"), at_most=NUMBERS_GET_MAX)

    @describe_status_lookup(at_most=NUMBERS_POST_MAX, body=NumbersBody)
    def post(self, request: Request) -> Response:
        body = decode_json_body(request, NumbersBody, expected='{"numeros": ["…"]}')
        return self._answer(request, body.numeros, at_most=NUMBERS_POST_MAX)

    def _answer(self, request: Request, numbers: list[str], *, at_most: int) -> Response:
        if not 1 <= len(numbers) <= at_most:
            raise Problem("parametre_invalide", f"De 1 à {at_most} numéros de facture sont attendus")
        numbers = [number.strip() for number in numbers]
        return Response(Sorts(ventes=look_up_statuses(**scope_of(device_of(request)), numbers=numbers)))
