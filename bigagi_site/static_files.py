"""Static files, from where they are installed, compressed on the way."""

import gzip
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

SMALLEST = 500
"""Bytes from which compressing is worth it."""
_TEXTS = ("text/", "image/svg+xml", "application/json")


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, which alone compresses only what a build step wrote beforehand; bigagi has none."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        """Return the file, or what of it was asked for; texts with gzip for whoever takes it."""
        response: Any = WhiteNoiseMiddleware.serve(static_file, request)
        size = int(response.headers.get("Content-Length", 0))
        if not response.headers.get("Content-Type", "").startswith(_TEXTS) or size < SMALLEST:
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        is_whole = request.method == "GET" and response.status_code == 200
        if not is_whole or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return response
        # Of the response only its file: closing all of it would end the request.
        response.file_to_stream.close()
        path = static_file.alternatives[-1][1]
        compressed = HttpResponse(_compress(path, response.headers.get("Last-Modified", "")))
        for name, value in response.headers.items():
            compressed.headers[name] = value
        compressed.headers["Content-Encoding"] = "gzip"
        compressed.headers["Content-Length"] = str(len(compressed.content))
        return compressed


@lru_cache(maxsize=512)
def _compress(path: str, version: str) -> bytes:
    """Return the file's content, compressed; it is read again for another `version`."""
    with open(path, "rb") as file:
        return gzip.compress(file.read(), 6, mtime=0)
