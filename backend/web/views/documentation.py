"""The pages of the project's documentation."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from backend import __version__
from backend.web.documentation import page_named, pages


def documentation_index(request: HttpRequest) -> HttpResponse:
    return render(request, "web/documentation_index.html", {"pages": pages(), "version": __version__})


def documentation_page(request: HttpRequest, *, name: str) -> HttpResponse:
    page = page_named(name)
    if page is None:
        raise Http404
    return render(request, "web/documentation_page.html", {"page": page})
