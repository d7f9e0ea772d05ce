"""Is this process alive? It asks nobody else: a database that is away is no reason to restart the API."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")
