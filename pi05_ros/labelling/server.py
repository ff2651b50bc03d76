"""Web server of the page: the episode, its pictures, and its labels as they are saved."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiohttp import web

from pi05_ros.console.answers import BAD_REQUEST, CONFLICT, NOT_ALLOWED, Refused
from pi05_ros.console.gate import Gate
from pi05_ros.console.page_files import page_files
from pi05_ros.console.server import SECURITY_HEADERS
from pi05_ros.data.episodes.label_file import LabelConflictError
from pi05_ros.errors import Pi05Error
from pi05_ros.labelling.episode_labels import EpisodeLabels
from pi05_ros.labelling.jpegs import Jpegs
from pi05_ros.labelling.page_data import episode_data, label_data, take

HOST = "127.0.0.1"  # No other machine reaches it; through a network use ssh -L.
_FOLDER = Path(__file__).with_name("page")
_SHARED = ("/style.css", "/page.js", "/icon.svg")  # Of the operator's page.
_MAX_BODY = 4 << 20  # Bytes: some ten thousand spans.
_UNAUTHORIZED, _NOT_FOUND, _TOO_LARGE, _FAILED = 401, 404, 413, 500
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LabelServerError(Pi05Error):
    """The server cannot run."""


class LabelServer:
    """Serves the page of one episode from a thread of its own, on loopback.

    The page's address holds a token, since other users of the machine reach loopback, too.

    Args:
        labels: The labels; from now on the server's alone.
        port: TCP port; 0: a free one.

    Raises:
        LabelServerError: The server cannot listen on the port.
    """

    def __init__(self, labels: EpisodeLabels, port: int = 0) -> None:
        self._labels, self._jpegs = labels, Jpegs(labels.episode)
        self._gate = Gate(HOST, secrets.token_hex(16))
        own, shared = page_files(_FOLDER), page_files()
        self._files = {**{path: shared[path] for path in _SHARED}, **own}
        self._lock = threading.Lock()  # Of the labels.
        self._pool = ThreadPoolExecutor(4, "label page")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="label server", daemon=True
        )
        self._thread.start()
        try:
            self._do(self._open(port))
        except OSError as error:
            self.close()
            raise LabelServerError(
                f"the page cannot listen on {HOST}:{port} ({error.strerror}): choose another "
                "--port, or none for a free one"
            ) from error

    @property
    def url(self) -> str:
        """Address of the page, with its token."""
        return f"http://{HOST}:{self.port}/?token={self._gate.token}"

    def close(self) -> None:
        """Finish what is being saved, close all connections and end the thread."""
        self._do(self._runner.cleanup())
        self._pool.shutdown()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, port: int) -> None:
        app = web.Application(middlewares=[self._check], client_max_size=_MAX_BODY)
        app.router.add_get("/api/episode", self._episode)
        app.router.add_get("/api/labels", self._current)
        app.router.add_post("/api/labels", self._save)
        app.router.add_get(r"/api/picture/{camera}/{index:\d{1,9}}", self._picture)
        app.router.add_get("/{path:.*}", self._file)
        app.on_response_prepare.append(self._add_headers)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, reuse_address=True)
        await site.start()
        self.port: int = self._runner.addresses[0][1]

    @web.middleware
    async def _check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Check Host, Origin and token, in this order; errors become answers."""
        host = request.headers.get("Host", "")
        if not self._gate.host_is_ours(host):
            return _answer(NOT_ALLOWED, "unknown name in the Host header: use 127.0.0.1")
        if not self._gate.origin_is_ours(request.headers.get("Origin"), host):
            return _answer(NOT_ALLOWED, "requests from other sites are rejected")
        if request.path == "/" and self._gate.is_token(request.query.get("token", "")):
            return self._entered()
        shown = request.headers.get("Authorization"), request.cookies.get(self._cookie)
        if not self._gate.token_fits(*shown):
            what = "open the address that `./pi05 bags label` printed, with its token"
            return _answer(_UNAUTHORIZED, what)
        try:
            return await handler(request)
        except Refused as refusal:
            return _answer(refusal.status, str(refusal))
        except LabelConflictError as error:
            return _answer(CONFLICT, str(error))
        except web.HTTPRequestEntityTooLarge:
            return _answer(_TOO_LARGE, "the request is too large")
        except Pi05Error as error:
            return _answer(_FAILED, str(error))

    @property
    def _cookie(self) -> str:
        """Name of the cookie: cookies of one host are sent to all of its ports."""
        return f"pi05_labels_{self.port}"

    def _entered(self) -> web.Response:
        """Remember the token in a cookie and take it out of the address."""
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(self._cookie, self._gate.cookie, httponly=True, samesite="Strict")
        return answer

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(SECURITY_HEADERS)
        response.headers["Server"] = "pi05_ros labels"

    async def _file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.path)
        if file is None:
            return _answer(_NOT_FOUND, "no such page")
        return web.Response(body=file.body, headers={"Content-Type": file.content_type})

    async def _episode(self, _: web.Request) -> web.Response:
        return web.json_response(await self._call(lambda: episode_data(self._labels)))

    async def _current(self, _: web.Request) -> web.Response:
        """The labels as the file holds them now, which may be another writer's."""

        def read() -> dict[str, Any]:
            self._labels.reload()
            return label_data(self._labels)

        return web.json_response(await self._call(read))

    async def _save(self, request: web.Request) -> web.Response:
        try:
            message = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            raise Refused(BAD_REQUEST, f"the request is no JSON ({error})") from error

        def write() -> dict[str, Any]:
            take(self._labels, message)
            return label_data(self._labels)

        return web.json_response(await self._call(write))

    async def _picture(self, request: web.Request) -> web.Response:
        camera, index = request.match_info["camera"], int(request.match_info["index"])
        if camera not in self._labels.episode.cameras:
            return _answer(_NOT_FOUND, f"there is no camera '{camera}'")
        try:
            jpeg = await self._loop.run_in_executor(self._pool, self._jpegs.get, camera, index)
        except IndexError as error:
            return _answer(_NOT_FOUND, str(error))
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _call(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do work on the labels in a thread: it reads and writes files."""

        def locked() -> dict[str, Any]:
            with self._lock:
                return work()

        return await self._loop.run_in_executor(self._pool, locked)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10.0)


def _answer(status: int, message: str) -> web.Response:
    return web.json_response({"status": status, "message": message}, status=status)
