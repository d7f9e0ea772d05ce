"""Addresses that do not exist."""

from rest_framework.request import Request
from rest_framework.views import APIView

from backend.api.problems import Problem


class NowhereView(APIView):
    """Any other address below the API's: refused as the API refuses, not with a page."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise Problem("introuvable")
