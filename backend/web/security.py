"""What a browser may load and run on our pages: nothing but our own style sheet, images, forms and script files."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"

# Scripts only as files of ours (htmx), and they ask nobody but us: nothing that is written into a page ever runs.
PAGES = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The browsable description of the API is a script from the sidecar package, which writes styles into the page and
# images into data addresses. It shows nothing of a merchant's.
API_DESCRIPTION = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
API_NAMESPACE = "api"


class ContentSecurityPolicyMiddleware:
    """Send a policy with every answer; a view that set its own keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        route = request.resolver_match
        is_api = route is not None and API_NAMESPACE in route.namespaces
        response.headers.setdefault(HEADER, API_DESCRIPTION if is_api else PAGES)
        return response
