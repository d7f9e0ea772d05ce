"""Headers and query parameters, read strictly: what cannot be meant is a 400 that says so."""

import re

from rest_framework.request import Request

from backend.api.problems import Problem

KEY_LENGTH_MAX = 200
WHOLE_NUMBER_MAX = 2**63 - 1
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if len(key) > KEY_LENGTH_MAX or not _KEY.fullmatch(key):
        raise Problem("parametre_invalide", f"Idempotency-Key : 1 à {KEY_LENGTH_MAX} caractères ASCII visibles")
    return key


def whole_number(request: Request, name: str, *, minimum: int, maximum: int = WHOLE_NUMBER_MAX) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or not minimum <= int(text) <= maximum:
        raise Problem("parametre_invalide", f"{name} : un nombre entier à partir de {minimum} est attendu")
    return int(text)


def flag(request: Request, name: str, *, default: bool) -> bool:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text not in ("0", "1"):
        raise Problem("parametre_invalide", f"{name} : 0 ou 1 est attendu")
    return text == "1"
