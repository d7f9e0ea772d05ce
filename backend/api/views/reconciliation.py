"""The end of a till's day: what it says it sold, against what is recorded of it."""

from datetime import UTC, datetime

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.bodies import decode_json_body
from backend.api.openapi.reconciliation import describe_reconciliation
from backend.sales.day_reports import WireDay, read_day_report
from backend.sales.reconciliation import reconcile

EXPECTED = '{"jour": "2024-11-04", "ventes": […], "totaux": […], "caisse": {…}}'


class ReconciliationView(APIView):
    """Equal, or exactly which are missing, extra, different, waiting or to be corrected."""

    @describe_reconciliation
    def post(self, request: Request) -> Response:
        body = decode_json_body(request, WireDay, expected=EXPECTED)
        report = read_day_report(body, shop=request.user.terminal.shop)
        said = msgspec.to_builtins(body)
        return Response(reconcile(device=request.user, report=report, said=said, now=datetime.now(UTC)))
