"""The call that hands over a batch."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import parameters
from backend.api.authentication import device_of
from backend.api.bodies import read_json_body
from backend.api.callers import app_version_of
from backend.api.held_requests import COMPLETE_HOLD_S, preferred_wait_s, wait_until_settled
from backend.api.openapi.sales import describe_sync
from backend.api.problems import Problem
from backend.observability import counters
from backend.observability.request_context import address_of, request_id_of
from backend.sales.intake import Accepted, Caller, give_answer, receive_batch
from backend.sales.models import Batch
from backend.sales.receipts import receipt
from backend.sales.receipts.backlog import retry_after_s
from backend.shops.models import AnswerMode, Device

counters.register_values(
    "caisse_intake_total", ("accepted", "repeated", *describe_sync.always, *describe_sync.problems)
)


class SyncView(APIView):
    """Hand over a batch."""

    @describe_sync
    def post(self, request: Request) -> Response:
        device = device_of(request)
        key = parameters.idempotency_key(request)
        body = read_json_body(request)
        caller = Caller(device, address_of(request), app_version_of(request), request_id_of(request._request))
        accepted = receive_batch(caller=caller, body=body, key=key)
        if device.answer_mode == AnswerMode.COMPLETE:
            response = self._answer_complete(accepted, device)
        else:
            response = self._answer(accepted, device, wait_s=preferred_wait_s(request.headers.get("Prefer", "")))
        if accepted.is_replay and key is not None:
            response["Idempotency-Replayed"] = "true"
        counters.count("caisse_intake_total", answer="repeated" if accepted.is_replay else "accepted")
        return response

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if self.request.method == "POST":
            counters.count("caisse_intake_total", answer=response.data.code)
        return response

    def _answer(self, accepted: Accepted, device: Device, *, wait_s: int) -> Response:
        batch = wait_until_settled(accepted.batch, seconds=wait_s) if wait_s else accepted.batch
        if wait_s and batch.settled_at:
            return _created(batch, device)
        response = Response(receipt.acknowledgement(batch, device), status=202)
        response["Location"] = receipt.url_of(batch)
        response["Retry-After"] = str(retry_after_s())
        return response

    def _answer_complete(self, accepted: Accepted, device: Device) -> Response:
        """Answer 2xx only once every sale has its outcome: such a till takes any 2xx for "all is recorded"."""
        batch = wait_until_settled(accepted.batch, seconds=COMPLETE_HOLD_S)
        if batch.settled_at is None:
            raise Problem("enregistrement_en_cours", retry_after_s=retry_after_s())
        response = _created(batch, device)
        give_answer(batch)
        return response


def _created(batch: Batch, device: Device) -> Response:
    response = Response(receipt.receipt(batch, device), status=201)
    response["Location"] = receipt.url_of(batch)
    response["ETag"] = receipt.etag_of(batch)
    return response
