"""Addresses that do not exist."""

from rest_framework.request import Request
from rest_framework.views import APIView

from backend.api.problems import Problem


class UnknownAddressView(APIView):
    """Refuses any other address below the API with a problem, not with an HTML page."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise Problem("introuvable")
