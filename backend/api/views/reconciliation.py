"""The end of a till's day: what the till reports as sold, compared with what is recorded."""

from datetime import UTC, datetime

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.authentication import device_of
from backend.api.bodies import decode_json_body
from backend.api.openapi.tills import describe_reconciliation
from backend.sales.days.day_report import WireDay, read_day_report
from backend.sales.days.reconciliation import reconcile
from backend.shops.terminals import shop_of

EXPECTED = '{"jour": "2024-11-04", "ventes": […], "totaux": […], "caisse": {…}}'


class ReconciliationView(APIView):
    """Answers that both agree, or which sales are missing, extra, different, waiting or to be corrected."""

    @describe_reconciliation
    def post(self, request: Request) -> Response:
        device = device_of(request)
        body = decode_json_body(request, WireDay, expected=EXPECTED)
        report = read_day_report(body, shop=shop_of(device.terminal))
        said = msgspec.to_builtins(body)
        now = datetime.now(UTC)
        return Response(reconcile(terminal=device.terminal, device=device, report=report, said=said, now=now))
