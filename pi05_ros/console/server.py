"""Web server of the console: access checks, page files, stop, websockets."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.http import HttpProcessingError

from pi05_ros.console.answers import Refused
from pi05_ros.console.commands import MAX_MESSAGE
from pi05_ros.console.connections import ConnectionLimiter
from pi05_ros.console.gate import COOKIE, Gate
from pi05_ros.console.hub import Hub
from pi05_ros.console.limits import Buckets
from pi05_ros.console.page_files import PUBLIC, page_files
from pi05_ros.console.session import Session
from pi05_ros.errors import Pi05Error

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" makes browsers say "Origin: null" for the form of /login.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STOP_PATH = "/api/stop"
_TOKEN_PROMPT = b"Enter the access token of this robot."  # As in login.html.
_WRONG_TOKEN = b"Wrong token. Enter the access token of this robot."
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsoleError(Pi05Error):
    """The server cannot run."""


class Application:
    """Routes of one server, and the checks before them.

    Args:
        hub: State shared by the sessions.
        gate: Access rules.
    """

    def __init__(self, hub: Hub, gate: Gate) -> None:
        self._hub, self._gate = hub, gate
        self._requests = Buckets(hub.settings.http_rate, hub.clock)
        self._wrong = Buckets(hub.settings.wrong_tokens, hub.clock)
        self._wrong_cookies = Buckets(hub.settings.wrong_cookies, hub.clock)
        self.connections: ConnectionLimiter  # Set by the listening Server.
        self._files = page_files()
        self.web = web.Application(
            middlewares=[self._check], client_max_size=hub.settings.body_bytes
        )
        self.web.router.add_get("/ws", self._open_socket)
        self.web.router.add_post(STOP_PATH, self._stop)
        self.web.router.add_post("/login", self._login)
        self.web.router.add_get("/{path:.*}", self._file)
        self.web.on_response_prepare.append(self._add_headers)
        self.web.on_shutdown.append(self._close_sockets)
        self._sockets: set[web.WebSocketResponse] = set()

    @web.middleware
    async def _check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Check rate, Host, Origin, size and token, in this order."""
        address = request.remote or ""
        # Stop has no rate limit: a flood of stops only stops the robot.
        if request.path != STOP_PATH and not self._requests.of(address).take():
            return _refuse(429, "too many requests: wait a second")
        host = request.headers.get("Host", "")
        if not self._gate.host_is_ours(host):
            return _refuse(403, "unknown name in the Host header: add it to the parameter 'names'")
        if not self._gate.origin_is_ours(request.headers.get("Origin"), host):
            return _refuse(403, "requests from other sites are rejected")
        if (request.content_length or 0) > self._hub.settings.body_bytes:
            return _refuse(413, "the request is too large")
        if request.path not in (*PUBLIC, "/login"):
            shown = request.headers.get("Authorization"), request.cookies.get(COOKIE)
            # A forgotten tab sends an old cookie repeatedly, which must not block its address.
            wrong = (self._wrong_cookies if shown[0] is None else self._wrong).of(address)
            if any(shown) and wrong.empty:
                return _refuse(429, "too many wrong tokens: wait a minute")
            if not self._gate.token_fits(*shown):
                if any(shown):
                    wrong.take()
                if request.path == "/" and request.method == "GET":
                    return self._page("/login.html", 401)
                return _refuse(
                    401,
                    "access token required: Authorization: Bearer TOKEN, or log in on the page",
                )
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return _refuse(413, "the request is too large")
        except web.RequestPayloadError:
            return _refuse(400, "the request's body cannot be read")
        except Refused as refusal:
            return _refuse(refusal.status, str(refusal))

    async def _body(self, request: web.Request) -> bytes:
        """Return the whole body; raise Refused (408) if it does not arrive in time."""
        limit = self._hub.settings.body_s
        try:
            return await asyncio.wait_for(request.read(), limit)
        except asyncio.TimeoutError as error:
            raise Refused(408, f"the request body did not arrive within {limit:g} s") from error

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY_HEADERS)
        response.headers["Server"] = "pi05_ros console"

    async def _close_sockets(self, _: web.Application) -> None:
        for socket in set(self._sockets):
            await socket.close(code=1001, message=b"server shutting down")

    def _page(self, path: str, status: int = 200) -> web.Response:
        file = self._files[path]
        return web.Response(
            body=file.body, status=status, headers={"Content-Type": file.content_type}
        )

    async def _file(self, request: web.Request) -> web.Response:
        if request.path not in self._files:
            return _refuse(404, "no such page")
        return self._page(request.path)

    async def _login(self, request: web.Request) -> web.Response:
        wrong = self._wrong.of(request.remote or "")
        if wrong.empty:
            return _refuse(429, "too many wrong tokens: wait a minute")
        form = parse_qs((await self._body(request)).decode("utf-8", "replace"))
        if not self._gate.is_token(form.get("token", [""])[0]):
            wrong.take()
            page = self._page("/login.html", 401)
            page.body = self._files["/login.html"].body.replace(_TOKEN_PROMPT, _WRONG_TOKEN)
            return page
        answer = web.Response(status=303, headers={"Location": "/"})
        # Not sent to other sites, not visible to scripts, deleted with the browser session.
        answer.set_cookie(COOKIE, self._gate.cookie, httponly=True, samesite="Strict", path="/")
        return answer

    async def _stop(self, request: web.Request) -> web.Response:
        if request.content_length is None:
            await self._body(request)  # The body is ignored, but its size is limited.
        with self.connections.busy(request.transport):
            answer = await self._hub.stop(request.remote or "?")
        return web.json_response(
            {"status": answer.status, "message": answer.message}, status=answer.status
        )

    async def _open_socket(self, request: web.Request) -> web.StreamResponse:
        if self._hub.full:
            return _refuse(429, "too many pages are open: close one")
        socket = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE, heartbeat=5.0, compress=False, timeout=1.0
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            with self.connections.busy(request.transport):
                await Session(self._hub, socket, request.remote or "?").run()
        finally:
            self._sockets.discard(socket)
        return socket


def _refuse(status: int, message: str) -> web.Response:
    response = web.json_response({"status": status, "message": message}, status=status)
    response.force_close()  # The rest of the request is not read.
    return response


class Server:
    """Runs an Application in its own thread.

    Args:
        hub: State shared by the sessions.
        gate: Access rules, with the address to listen on.
        port: TCP port; 0: a free one.

    Raises:
        ConsoleError: The server cannot listen on the address.
    """

    def __init__(self, hub: Hub, gate: Gate, port: int) -> None:
        self._host, self._port = gate.host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="console server", daemon=True
        )
        self._thread.start()
        self._application, self._settings = Application(hub, gate), hub.settings
        self._listener: asyncio.Server | None = None
        # Browsers keep idle connections open; no request takes long.
        self._runner = web.AppRunner(
            self._application.web,
            access_log=None,
            keepalive_timeout=30.0,
            shutdown_timeout=1.0,
            logger=_log(),
        )
        try:
            self._do(self._open())
        except OSError as error:
            self.close()
            raise ConsoleError(
                f"the console cannot listen on {gate.host}:{port} ({error.strerror}): set "
                "another console_port, or stop the process that listens there"
            ) from error

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Event loop of the server."""
        return self._loop

    @property
    def port(self) -> int:
        """TCP port of the server."""
        return self._port

    @property
    def url(self) -> str:
        """Address of the page on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)
        return f"http://{host}:{self._port}/"

    def close(self) -> None:
        """Close all sockets and end the thread."""
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        settings = self._settings
        connections = ConnectionLimiter(server, settings.connections, settings.address_connections)
        self._application.connections = connections
        self._listener = await asyncio.get_running_loop().create_server(
            connections.protocol, self._host, self._port, reuse_address=True
        )
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10.0)


def _log() -> logging.Logger:
    """Return the server's log, without errors of malformed requests."""
    log = logging.getLogger(__name__)
    log.addFilter(_is_our_error)
    return log


def _is_our_error(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, web.RequestPayloadError))
