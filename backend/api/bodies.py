"""Request bodies: read once, bounded before and after inflating."""

import contextlib
import zlib
from typing import IO, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import connection
from django.http import HttpRequest, UnreadablePostError
from rest_framework.request import Request

from backend.api.answers.limits import LIMITS
from backend.api.problems import Problem
from backend.sales.wire.structs import path_of

# How much of a body that is too large is read and thrown away before the answer. A client that is still sending when
# the connection closes sees a broken pipe instead of our answer, takes it for a network fault, and retries for ever.
DRAINED_BYTES_MAX = 4 * settings.BODY_BYTES_MAX
DRAINED_AT_ONCE_BYTES = 64 * 1024
Body = TypeVar("Body")
GZIP_WINDOW = 31  # tells zlib to accept only a gzip header and trailer


def read_json_body(request: Request) -> bytes:
    """Return the request's body, inflated.

    Raises Problem: 415 (content type or encoding), 413 (too large, before or after inflating), 400 gzip_invalide.
    """
    content_type = request.content_type or ""
    if content_type and content_type.split(";")[0].strip().lower() != "application/json":
        raise Problem("type_non_supporte")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Problem("type_non_supporte")
    body = _read(request._request)
    return _inflate(body) if encoding == "gzip" else body


def decode_json_body(request: Request, shape: type[Body], *, expected: str) -> Body:
    """Return the request's body as `shape`, a msgspec Struct.

    expected: an example of the body, shown in the refusal.
    Raises Problem: json_invalide, or parametre_invalide with the path of the wrong field.
    """
    try:
        return msgspec.json.decode(read_json_body(request), type=shape)
    except msgspec.ValidationError as error:
        path = path_of(error)
        sentence = f"Le corps attendu est {expected}"
        raise Problem("parametre_invalide", f"{path} : {sentence}" if path else sentence) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("json_invalide") from error


def _read(request: HttpRequest) -> bytes:
    try:
        if "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated"):
            # .NET's HttpClient sends JSON in chunks, without a length; Django would read nothing.
            body = request.META["wsgi.input"].read(settings.BODY_BYTES_MAX + 1)
            if len(body) > settings.BODY_BYTES_MAX:
                _drain(request.META["wsgi.input"])
        else:
            body = request.body
    except RequestDataTooBig as error:
        _drain(request)
        raise _too_large() from error
    except (UnreadablePostError, OSError) as error:
        raise Problem("json_invalide", "Le corps n'est pas arrivé en entier") from error
    if len(body) > settings.BODY_BYTES_MAX:
        raise _too_large()
    # A slow body may take longer than the database keeps an idle session: make Django check it before the next query.
    connection.health_check_done = False  # type: ignore[attr-defined]  # Django's own; the stub does not know it
    return body


def _drain(stream: IO[bytes] | HttpRequest) -> None:
    with contextlib.suppress(OSError):
        for _ in range(DRAINED_BYTES_MAX // DRAINED_AT_ONCE_BYTES):
            if not stream.read(DRAINED_AT_ONCE_BYTES):
                return


def _inflate(body: bytes) -> bytes:
    """Inflate one gzip member, never beyond the limit: 48 kB can inflate to 50 MB."""
    inflater = zlib.decompressobj(GZIP_WINDOW)
    try:
        inflated = inflater.decompress(body, settings.BODY_BYTES_MAX + 1)
    except zlib.error as error:
        raise Problem("gzip_invalide") from error
    if len(inflated) > settings.BODY_BYTES_MAX:
        raise _too_large()
    if not inflater.eof or inflater.unused_data:
        raise Problem("gzip_invalide")
    return inflated


def _too_large() -> Problem:
    return Problem("lot_trop_grand", limites=LIMITS)
