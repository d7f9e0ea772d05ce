"""The description of the API: the OpenAPI document, and a page to read it and try the calls."""

from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.openapi.document import document
from backend.api.renderers import JSONRenderer


class OpenApiRenderer(JSONRenderer):
    media_type = "application/vnd.oai.openapi+json"


class _OpenToAll(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class DocumentView(_OpenToAll):
    renderer_classes = (JSONRenderer, OpenApiRenderer)

    def get(self, request: Request) -> Response:
        return Response(document())


class DescriptionView(_OpenToAll):
    """Swagger UI, with the files that drf-spectacular-sidecar ships: nothing is loaded from another host."""

    renderer_classes = (TemplateHTMLRenderer,)

    def get(self, request: Request) -> Response:
        return Response(template_name="api/description.html")
