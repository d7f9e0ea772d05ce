"""Style sheets and scripts on their way to a phone on a bad line: compressed, kept by the browser, asked for again."""

from pathlib import Path
from wsgiref.headers import Headers

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


def set_weak_etag(headers: Headers, path: str, _url: str) -> None:
    """Name the file's version as GZipMiddleware would have it: WhiteNoise takes a browser's copy for good only if the
    browser names the version to the letter, and compressing would turn WhiteNoise's own name into this one."""
    status = Path(path).stat()
    headers["ETag"] = f'W/"{int(status.st_mtime):x}-{status.st_size:x}"'


class CompressedStaticFilesMiddleware(WhiteNoiseMiddleware):
    """Compresses whole files only: not the empty answer to HEAD, not "unchanged", and no part of a file.

    WhiteNoise itself sends compressed copies that lie beside the files, and the packages we serve from bring none.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        response: FileResponse = WhiteNoiseMiddleware.serve(static_file, request)
        if request.method == "GET" and response.status_code == 200:
            compressed = GZipMiddleware(lambda _request: response)(request)
            assert isinstance(compressed, HttpResponseBase)
            return compressed
        return response
