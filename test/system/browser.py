"""An operator's browser without a picture: what a page says to the console, on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import aiohttp

from system.operator import ScenarioError

T = TypeVar("T")
_LIMIT_S = 5.0  # For one answer.
_POLL_S = 0.005


class Browser:
    """One page, in a thread with an event loop of its own.

    Attributes:
        seen: Number of the newest state that was shown.
        lease: Of who holds control, as it was shown.
        shown: Newest section of each name.
        pictures: Index of a camera -> how many came.

    Args:
        url: Of the console ("http://127.0.0.1:8805").
        headers: Sent with every request.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self.seen = 0
        self.lease = 0
        self.shown: dict[str, Any] = {}
        self.pictures: Counter[int] = Counter()
        self._requests = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._awake = threading.Event()
        self._awake.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._session: aiohttp.ClientSession | None = None
        self._socket: Any = None  # aiohttp.ClientWebSocketResponse
        try:
            self._do(self._open())
            self._wait(lambda: self.seen, "a state")
        except BaseException:
            self.close()
            raise

    def take(self, over: int = 0) -> int:
        """Asks for control; gives the status of the answer."""
        return int(self.ask({"type": "take", "lease": over})["status"])

    def command(self, name: str, **fields: Any) -> int:
        """Sends a command; `seen` and `lease` are the present ones where they are not given."""
        return int(
            self.ask({"type": "command", "name": name, "arguments": {}, **fields})["status"]
        )

    def stop(self) -> int:
        """Presses stop."""
        return int(self.ask({"type": "stop"})["status"])

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Sends a request and gives its answer.

        Raises:
            ScenarioError: None came.
        """
        number = next(self._requests)
        full = {"id": number, "seen": self.seen, "lease": self.lease, **message}
        assert self._socket is not None
        self._do(self._socket.send_json(full))
        self._wait(lambda: number in self._answers, f"the answer to {message}")
        return self._answers.pop(number)

    def look(self) -> None:
        """Waits for the next state."""
        seen = self.seen
        self._wait(lambda: self.seen > seen, "another state")

    def wait_mine(self) -> None:
        """Waits until the page shows that it holds control."""
        self._wait(lambda: self.shown.get("control", {}).get("mine"), "control")

    def sleep(self) -> None:
        """The whole browser stands still; its socket stays open and nobody reads it."""
        self._awake.clear()
        self._loop.call_soon_threadsafe(self._awake.wait)

    def wake(self) -> None:
        """Goes on after `sleep`."""
        self._awake.set()

    def leave(self) -> None:
        """The tab is closed."""
        assert self._socket is not None
        self._do(self._socket.close())

    def close(self) -> None:
        """Ends the thread."""
        self.wake()
        if self._session is not None:
            with contextlib.suppress(Exception):
                self._do(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2.0)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(headers=self._headers)
        self._socket = await self._session.ws_connect(self._url + "/ws", timeout=_CLOSING)
        self._reader = asyncio.create_task(self._read(self._socket))

    async def _read(self, connection: Any) -> None:
        async for message in connection:
            if message.type != aiohttp.WSMsgType.TEXT:
                self.pictures[message.data[0]] += 1
                continue
            told = json.loads(message.data)
            if told["type"] == "answer":
                self._answers[told["id"]] = told
                continue
            if told["type"] == "state":
                self.lease = told["control"]["lease"]
                self.shown |= told
                self.seen = told["n"]
            with contextlib.suppress(ConnectionError, RuntimeError):
                await connection.send_json({"type": "seen", "seen": told["n"]})

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LIMIT_S)

    def _wait(self, condition: Any, what: str) -> None:
        end = time.monotonic() + _LIMIT_S
        while not condition():
            if time.monotonic() > end:
                raise ScenarioError(f"a browser waited {_LIMIT_S:g} s for {what}")
            time.sleep(_POLL_S)


_CLOSING = aiohttp.ClientWSTimeout(ws_close=0.5)


class Line:
    """A TCP relay to the console that can go dead without closing: a half-open connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._dead = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        """From now on nothing gets through, and no end is told."""
        self._dead.set()

    def reset(self) -> None:
        """The browser's process dies: its kernel resets the connections."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._dead.set()
                each.close()

    def close(self) -> None:
        """Closes everything."""
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            self._sockets += [near, far]
            for source, target in ((near, far), (far, near)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._dead.is_set():
                    target.sendall(data)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
