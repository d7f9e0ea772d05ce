"""The Content-Security-Policy: browsers load and run only our own style sheets, images, forms and script files."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"

# Scripts only from our own files (htmx), which may call only us: no inline script ever runs.
PAGES = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The browsable description of the API is a script of the sidecar package that uses inline styles and data: images. It
# shows no shop's data.
API_DESCRIPTION = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API_NAMESPACE = "api"


class ContentSecurityPolicyMiddleware:
    """Adds a policy to every response, unless the view set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        route = request.resolver_match
        is_api = route is not None and API_NAMESPACE in route.namespaces
        response.headers.setdefault(HEADER, API_DESCRIPTION if is_api else PAGES)
        return response
