"""The OpenAPI document: what each call takes and every answer that it can give. Says so; decides nothing."""

from typing import Any

from drf_spectacular.views import SpectacularAPIView

from backend.api.openapi import catalogue, changes, reconciliation, state, terminals
from backend.api.openapi.sales_answered import ANSWERED
from backend.api.openapi.sales_sent import SENT

SHAPES = SENT | ANSWERED
for area in (state, changes, catalogue, reconciliation, terminals):
    SHAPES |= area.SHAPES


def add_shapes(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Put the named shapes into the document (a hook of drf-spectacular's)."""
    result.setdefault("components", {})["schemas"] = dict(sorted(SHAPES.items()))
    return result


class DocumentView(SpectacularAPIView):
    """The document itself. It has one version: what a query asks for is not written into headers."""

    def _get_version_parameter(self, request: object) -> None:
        return None
