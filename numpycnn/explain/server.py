"""The page with a canvas, served to this machine alone.

A server on one's own machine is within reach of every page in one's browser, so this one checks each request: the host
must be this machine by a name of its own (a foreign name that was pointed here is refused), the origin must be the page
itself, and a token that changes with each run must be there. It takes PNG pictures of up to 10 MB, and answers with
what the network makes of them. Whatever is refused gets a status from 400 on, and the server goes on.
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

from numpycnn.errors import DataFormatError
from numpycnn.explain.contents import Example, contents
from numpycnn.explain.page import DRAWING, as_page, policy
from numpycnn.sequential import Sequential

ADDRESS = "127.0.0.1"
HTTP_PORT = 80  # of an address that names none
MOST_BYTES = 10_000_000  # of a picture
PATIENCE = 4 * MOST_BYTES  # that is read of a larger one, so that the answer is heard
HEAD = 10.0  # seconds that a client may take for the head of a request
ROOM = 2_000_000  # bytes of numbers in an answer, which is sent with every stroke
PNG = b"\x89PNG\r\n\x1a\n"
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}

Look = Callable[[bytes], Example]


class Impatient(H11Protocol):
    """Hangs up on a client that says nothing, or does not come to the end of the head of its request.

    Such connections take no turn from others, however many there are, and do not stay.
    """

    timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait(waiting=True)

    def data_received(self, data: bytes) -> None:
        """Wait on, unless this was the end of the head."""
        super().data_received(data)
        self._wait(waiting=self.cycle is None or self.cycle.response_complete)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._wait(waiting=False)

    def _wait(self, *, waiting: bool) -> None:
        if waiting and self.timer is None:
            self.timer = self.loop.call_later(HEAD, self.transport.close)
        elif not waiting and self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Guard:
    """Lets through what comes from the page itself, and marks each answer as meant for it alone."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self.app = app
        self.hosts = {f"{ADDRESS}:{port}", f"localhost:{port}"}
        if port == HTTP_PORT:
            self.hosts |= {ADDRESS, "localhost"}  # browsers leave it out
        self.origins = {f"http://{host}" for host in self.hosts}
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with what is wrong with it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS.items()]
            await send(message)

        refusal = self.refusal(Request(scope))
        await (self.app if refusal is None else refusal)(scope, receive, send_marked)

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that is none of ours, None if it is."""
        if request.headers.getlist("host") not in [[host] for host in self.hosts]:
            return PlainTextResponse("this server answers to its own name only\n", 421)
        if not set(request.headers.getlist("origin")) <= self.origins:
            return PlainTextResponse("this server answers to its own page only\n", 403)
        given = request.headers.get("x-token") or request.query_params.get("token", "")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("the token is missing, or it is that of an earlier run\n", 403)
        return None


def application(model: Sequential, blank: Example, look: Look, *, port: int, token: str) -> Starlette:
    """Return the web application.

    Parameters
    ----------
    model : Sequential
        Built.
    blank : Example
        What the page shows before anything is drawn.
    look : callable
        Makes an input of a PNG file's bytes; raises a `DataFormatError` if they are none, and another `ValueError` if
        there is nothing in the picture.
    port : int
        Where it will be reached.
    token : str
        What requests have to bring along.
    """
    turn = asyncio.Lock()  # one picture at a time: predicting is safe in threads, and takes all processors anyway
    rules = f"{policy(extra=DRAWING, connect=True)}; frame-ancestors 'none'"
    first = as_page({**contents(model, blank, most_bytes=ROOM), "blank": True}, extra=DRAWING, connect=True)

    def answer(png: bytes) -> bytes:
        try:
            found = contents(model, look(png), most_bytes=ROOM)
        except DataFormatError:
            raise
        except ValueError as error:  # nothing in it yet, which is how every drawing begins
            found = {"nothing": str(error)}
        return json.dumps(found, allow_nan=False).encode()

    async def page(request: Request) -> Response:
        return HTMLResponse(first, headers={"Content-Security-Policy": rules})

    async def picture(request: Request) -> Response:
        try:
            body = await read(request)
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody is there to read
        if body is None:
            return PlainTextResponse(f"expected a picture of at most {MOST_BYTES:,} bytes\n", 413)
        if not body.startswith(PNG):
            return PlainTextResponse("expected a PNG picture\n", 415)
        async with turn:
            try:
                return Response(await run_in_threadpool(answer, body), media_type="application/json")
            except DataFormatError as error:
                return PlainTextResponse(f"{error}\n", 422)

    return Starlette(
        routes=[Route("/", page, methods=["GET"]), Route("/picture", picture, methods=["POST"])],
        middleware=[Middleware(Guard, port=port, token=token)],
    )


async def read(request: Request) -> bytes | None:
    """Return the body of a request, None if it is too long."""
    kept, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length <= MOST_BYTES:
            kept += chunk
        elif length > PATIENCE:
            break
    return bytes(kept) if length <= MOST_BYTES else None


def serve(
    model: Sequential,
    blank: Example,
    look: Look,
    *,
    port: int = 0,
    announce: Callable[[str], Any] = print,
    until: threading.Event | None = None,
) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C.

    Parameters
    ----------
    model, blank, look
        See `application`.
    port : int
        0 for any that is free.
    announce : callable
        Called with the address, token included, when it can be opened.
    until : threading.Event, optional
        Ends it when it is set, where there is no Ctrl-C: in a thread.

    Raises
    ------
    OSError
        If the port is taken.
    """
    import uvicorn

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((ADDRESS, port))
        door.listen()
        port, token = door.getsockname()[1], secrets.token_urlsafe(24)
        app = application(model, blank, look, port=port, token=token)
        settings = uvicorn.Config(app, http=Impatient, log_level="warning", access_log=False, server_header=False)
        web = uvicorn.Server(settings)
        if until is not None:
            threading.Thread(target=_leave, args=(web, until), daemon=True).start()
        announce(f"http://{ADDRESS}:{port}/?token={token}")
        web.run(sockets=[door])


def _leave(web: Any, until: threading.Event) -> None:
    until.wait()
    web.should_exit = True
