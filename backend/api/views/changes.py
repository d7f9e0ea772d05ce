"""The call that reads the outcomes of this till's sales that changed since a cursor, repairs included."""

from datetime import UTC, datetime

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import parameters
from backend.api.authentication import device_of
from backend.api.openapi.sales import describe_changes
from backend.sales.receipts.answers import Changements
from backend.sales.receipts.change_feed import KEY_LENGTH, read_changes
from backend.shops.terminals import shop_id_of


class ChangesView(APIView):
    """Every outcome of this till written since a cursor."""

    @describe_changes
    def get(self, request: Request) -> Response:
        since = parameters.change_cursor(request, "depuis", key_length=KEY_LENGTH)
        terminal = device_of(request).terminal
        page = read_changes(terminal_id=terminal.pk, shop_id=shop_id_of(terminal), since=since, now=datetime.now(UTC))
        return Response(Changements(ventes=page.entries, curseur=page.cursor.as_text(), fin=page.is_last))
