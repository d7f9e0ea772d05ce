"""Is this process alive? It asks nobody else: a database that is away is no reason to restart the API."""

from django.http import HttpRequest, HttpResponse

from backend import __version__


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer `ok`; the version is a header, so that the text stays what every health check expects."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"X-Caisse-Version": __version__})
