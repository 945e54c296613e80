"""A middleware that does nothing, and saves a good part of what all others cost under ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


def on_one_thread(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Last in MIDDLEWARE: under ASGI the request's thread runs those before it in one go.

    Django takes a way to a thread and back for each hook of each middleware, unless one knows no async: from that one
    outward they then run one after the other, as under WSGI.
    https://docs.djangoproject.com/en/5.2/topics/http/middleware/#asynchronous-support
    """
    return get_response
