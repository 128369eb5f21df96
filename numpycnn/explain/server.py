"""A local server for the page with a canvas.

Any page in the browser can send requests to a local server, so this one checks each request: the host must be a local
name (against DNS rebinding), the origin must be the page itself, and a token that is new in each run is required. It
accepts PNG images of up to 10 MB and a million pixels, and responds with the data of the page for them. A rejected
request gets a 4xx status.
"""

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from numpycnn.data.png import PNG, read_header
from numpycnn.errors import DataFormatError
from numpycnn.explain.contents import Example, contents
from numpycnn.explain.page import DRAWING, as_page, policy
from numpycnn.layers.network import Network

ADDRESS = "127.0.0.1"
HTTP_PORT = 80  # default port of an address
MAX_BYTES = 10_000_000  # of an image
MAX_PIXELS = 1_000_000  # of an image; the page's canvas has 336 x 336
MAX_READ = 4 * MAX_BYTES  # drained from a larger body, so that the client receives the response
REQUEST_TIMEOUT = 10.0  # seconds, from the start of a request to the end of its body
RESPONSE_BYTES = 2_000_000  # of arrays in a response, which is sent for every stroke
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}

Decode = Callable[[bytes], Example]


class RequestTimeout(H11Protocol):
    """Closes connections that do not send a complete request, headers and body, in time.

    Idle connections do not block others.
    """

    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer."""
        super().connection_made(transport)
        self._wait(waiting=True)

    def data_received(self, data: bytes) -> None:
        """Keep the timer until the request is complete."""
        super().data_received(data)
        self._wait(waiting=self.cycle is None or self.cycle.response_complete or self.cycle.more_body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer."""
        super().connection_lost(exc)
        self._wait(waiting=False)

    def _wait(self, *, waiting: bool) -> None:
        if waiting and self.timer is None:
            self.timer = self.loop.call_later(REQUEST_TIMEOUT, self.transport.close)
        elif not waiting and self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Guard:
    """Accepts only requests of the page itself, and adds security headers to each response."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self.app = app
        self.hosts = {f"{ADDRESS}:{port}", f"localhost:{port}"}
        if port == HTTP_PORT:
            self.hosts |= {ADDRESS, "localhost"}  # browsers omit the default port
        self.origins = {f"http://{host}" for host in self.hosts}
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or respond with the reason for its rejection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS.items()]
            await send(message)

        rejection = self.rejection(Request(scope))
        await (self.app if rejection is None else rejection)(scope, receive, send_marked)

    def rejection(self, request: Request) -> Response | None:
        """Return the response that rejects a request; None for a valid one."""
        if request.headers.getlist("host") not in [[host] for host in self.hosts]:
            return PlainTextResponse("expected a local host name\n", 421)
        if not set(request.headers.getlist("origin")) <= self.origins:
            return PlainTextResponse("expected a request from the page of this server\n", 403)
        given = request.headers.get("x-token") or request.query_params.get("token", "")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("expected the token of this run; open the address that the server printed\n", 403)
        return None


def application(model: Network, blank: Example, decode: Decode, *, port: int, token: str) -> Starlette:
    """Return the web application.

    `blank` is what the page shows before the first stroke. `decode` makes an Example of a PNG file, and raises a
    `DataFormatError` for an invalid file and another `ValueError` for a blank image. Requests must contain the `token`.
    """
    lock = asyncio.Lock()  # one image at a time: predicting is thread-safe, but already uses all cores
    policies = f"{policy(extra=DRAWING, connect=True)}; frame-ancestors 'none'"
    initial = as_page({**contents(model, blank, most_bytes=RESPONSE_BYTES), "blank": True}, extra=DRAWING, connect=True)

    def answer(png: bytes) -> bytes:
        try:
            found = contents(model, decode(png), most_bytes=RESPONSE_BYTES)
        except DataFormatError:
            raise
        except ValueError as error:  # a blank image, as at the start of every drawing
            found = {"nothing": str(error)}
        return json.dumps(found, allow_nan=False).encode()

    async def page(request: Request) -> Response:
        return HTMLResponse(initial, headers={"Content-Security-Policy": policies})

    async def picture(request: Request) -> Response:
        try:
            body = await read(request)
        except ClientDisconnect:
            return Response(status_code=400)  # the client is gone
        if body is None:
            return PlainTextResponse(f"expected an image of at most {MAX_BYTES:,} bytes\n", 413)
        if not body.startswith(PNG):
            return PlainTextResponse("expected a PNG image\n", 415)
        try:
            header = read_header(body, "the image")
        except DataFormatError as error:
            return PlainTextResponse(f"{error}\n", 422)
        if header.width * header.height > MAX_PIXELS:
            size = f"{header.width} x {header.height}"
            return PlainTextResponse(f"expected at most {MAX_PIXELS:,} pixels, got {size}\n", 413)
        async with lock:
            try:
                return Response(await run_in_threadpool(answer, body), media_type="application/json")
            except DataFormatError as error:
                return PlainTextResponse(f"{error}\n", 422)

    return Starlette(
        routes=[Route("/", page, methods=["GET"]), Route("/picture", picture, methods=["POST"])],
        middleware=[Middleware(Guard, port=port, token=token)],
    )


async def read(request: Request) -> bytes | None:
    """Return the body of a request; None if it is too long."""
    body, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length <= MAX_BYTES:
            body += chunk
        elif length > MAX_READ:
            break
    return bytes(body) if length <= MAX_BYTES else None


def serve(
    model: Network,
    blank: Example,
    decode: Decode,
    *,
    port: int = 0,
    announce: Callable[[str], Any] = print,
    until: threading.Event | None = None,
) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C, or until the event `until` is set, for a server in a thread.

    `model`, `blank` and `decode` are those of `application`; port 0 is any free one. `announce` is called with the
    address, including the token, once the server listens. Raises an OSError if the port is in use.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """Closes open connections when it ends, instead of waiting for them."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await super().shutdown(sockets)

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen()
        port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
        app = application(model, blank, decode, port=port, token=token)
        settings = uvicorn.Config(app, http=RequestTimeout, log_level="warning", access_log=False, server_header=False)
        web = Server(settings)
        if until is not None:
            threading.Thread(target=_stop_on, args=(web, until), daemon=True).start()
        announce(f"http://{ADDRESS}:{port}/?token={token}")
        web.run(sockets=[listener])


def _stop_on(web: Any, until: threading.Event) -> None:
    until.wait()
    web.should_exit = True
