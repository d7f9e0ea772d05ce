"""The text of a page as a person sees it, without markup."""

import html
import re

from django.http import HttpResponse

SPACES = re.compile(r"\s+")


def seen(response: HttpResponse) -> str:
    """Return the page's text with single ordinary spaces, also in place of no-break spaces."""
    assert response.status_code == 200
    body = re.sub(r"<head>.*?</head>", " ", response.content.decode(), flags=re.DOTALL)
    without_markup = re.sub(r"</?(?:span|strong|a|time)\b[^>]*>", "", body)
    return SPACES.sub(" ", html.unescape(re.sub(r"<[^>]+>", " ", without_markup)))
