"""What a person sees of a page: its words, without the markup around them."""

import html
import re

from django.http import HttpResponse

SPACES = re.compile(r"\s+")


def seen(response: HttpResponse) -> str:
    """Return the words of the page, one ordinary space between them, no-break spaces included."""
    assert response.status_code == 200
    body = re.sub(r"<head>.*?</head>", " ", response.content.decode(), flags=re.DOTALL)
    without_markup = re.sub(r"</?(?:span|strong|a|time)\b[^>]*>", "", body)
    return SPACES.sub(" ", html.unescape(re.sub(r"<[^>]+>", " ", without_markup)))
