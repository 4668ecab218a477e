"""Serves the window on this machine. There are no accounts yet, so no other machine may reach it."""

import asyncio
import os
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.ui.exchange import Asker
from corpus.errors import ConfigError

HOST = "127.0.0.1"
PORT = 7860
_LOCAL_HOSTS = ("127.0.0.1", "localhost")
_MAX_BODY_BYTES = 1_000_000  # a question is short, and the window uploads nothing
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # gradio's page and its HTML component need both
        "connect-src 'self'",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Parts of gradio that this window never uses: files in and out, fetching addresses, calls by client libraries.
_CLOSED_API = ("upload", "file", "proxy=", "stream", "call", "info", "openapi", "runs")
_CLOSED = ("/monitoring", "/docs", "/redoc", "/openapi.json", *(f"/gradio_api/{route}" for route in _CLOSED_API))


def listen(host: str = HOST, port: int = PORT) -> socket.socket:
    """Return a listening socket; port 0 takes any free one. Call it before loading models: it fails at once.

    Raises ConfigError for another host than this machine, and for a port that is out of range, taken or reserved.
    """
    if host not in _LOCAL_HOSTS:
        raise ConfigError(
            f"host {host!r}: Wence has no accounts yet, so it serves only this machine; use {' or '.join(_LOCAL_HOSTS)}"
        )
    if not 0 <= port <= 65535:
        raise ConfigError(f"port {port}: a port is between 0 and 65535")
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ConfigError(
            f"port {port} on {HOST} cannot be used ({error.strerror}): stop what uses it, or choose another port"
        ) from error


def address(listening: socket.socket) -> str:
    """Return what to type into a browser."""
    return f"http://{HOST}:{listening.getsockname()[1]}/"


def make_server(
    listening: socket.socket,
    asker: Asker,
    examples: tuple[str, ...],
    announce: Callable[[str], None],
    asked_at_once: int = 4,
) -> uvicorn.Server:
    """Return the server of the window; `.run(sockets=[listening])` serves until interrupted.

    `announce` gets the address once the page can be opened. `asked_at_once` questions are answered at the same time.
    """
    return _Server(create_app(asker, examples, asked_at_once), address(listening), announce)


def create_app(asker: Asker, examples: tuple[str, ...], asked_at_once: int = 4) -> FastAPI:
    """Return the web application: the window at `/`, behind our headers and closed routes.

    Not to be called while an event loop runs in this thread.
    """
    return asyncio.run(_built_app(asker, examples, asked_at_once))


async def _built_app(asker: Asker, examples: tuple[str, ...], asked_at_once: int) -> FastAPI:
    """Built inside a running loop: outside of one, gradio makes a loop for each of its locks and leaves it open."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported, just below
    from chatbot.ui.window import mount_window

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_Guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(_LOCAL_HOSTS))  # against DNS rebinding
    mount_window(app, asker, examples, asked_at_once)
    return app


class _Guard:
    """Refuses what the window never asks for, and adds the security headers to every answer.

    Plain ASGI: starlette's http middleware would hide from gradio that a page was closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by ourselves, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = _refusal(scope["path"], Headers(scope=scope))
        await (Response(status_code=refusal) if refusal else self._app)(scope, receive, send_with_headers)


def _refusal(path: str, headers: Headers) -> int:
    """The status that refuses a request; 0 if it may pass."""
    if path.startswith(_CLOSED):
        return 404
    if "transfer-encoding" in headers:
        return 411  # a body must say how long it is
    stated = headers.get("content-length", "0")
    return 413 if not stated.isdigit() or int(stated) > _MAX_BODY_BYTES else 0


class _Server(uvicorn.Server):
    """A uvicorn server that says when it is really up."""

    def __init__(self, app: FastAPI, address: str, announce: Callable[[str], None]) -> None:
        # Open pages hold a connection for ever; they get two seconds at the end.
        super().__init__(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, server_header=False))
        self._announce = announce
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce the address."""
        await super().startup(sockets)
        if self.started:
            self._announce(self._address)
