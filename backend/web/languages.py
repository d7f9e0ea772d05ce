"""The language of the pages: French, unless the person chose English. The browser's preference is ignored.

Many phones in Kinshasa were sold set to English and never changed; their owners read French.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

SUPPORTED = frozenset(code for code, _name in settings.LANGUAGES)


class LanguageMiddleware:
    """Activates the language that Django's set_language view stored in a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        with translation.override(chosen if chosen in SUPPORTED else settings.LANGUAGE_CODE):
            return self.get_response(request)
