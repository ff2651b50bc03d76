"""An operator's browser without rendering: the messages of a page, on a real socket."""

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
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import aiohttp

from system.operator import ScenarioError

T = TypeVar("T")
_LIMIT_S = 5.0  # For one answer.
_POLL_S = 0.005
_FRAME_S = 0.04  # Between two frames of teleoperation.
_AT_REST = (0.0,) * 10 + (-1.0, -1.0)


class Browser:
    """One page, in a thread with an event loop of its own.

    Args:
        url: Of the console ("http://127.0.0.1:8805").
        headers: Sent with every request.

    Attributes:
        seen: Number of the newest state that was shown.
        newest: Number of the newest message of any kind that was shown.
        lease: Number of the present lease of control, as it was shown.
        shown: Newest section of each name.
        pictures: Camera index -> number of pictures received.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self.seen = self.newest = 0
        self._pressed: Future[None] | None = None
        self.lease = 0
        self.shown: dict[str, Any] = {}
        self.pictures: Counter[int] = Counter()
        self._requests = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._running = threading.Event()
        self._running.set()
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
        """Request control and return the status of the response."""
        return int(self.request({"type": "take", "lease": over})["status"])

    def command(self, name: str, **fields: Any) -> int:
        """Send a command; `seen` and `lease` default to the present ones."""
        return int(
            self.request({"type": "command", "name": name, "arguments": {}, **fields})["status"]
        )

    def stop(self) -> int:
        """Press stop."""
        return int(self.request({"type": "stop"})["status"])

    def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its response.

        Raises:
            ScenarioError: There is none in time.
        """
        number = next(self._requests)
        full = {"id": number, "seen": self.seen, "lease": self.lease, **message}
        assert self._socket is not None
        self._do(self._socket.send_json(full))
        self._wait(lambda: number in self._answers, f"the answer to {message}")
        return self._answers.pop(number)

    def press(self, axes: Sequence[float]) -> None:
        """Hold the dead-man switch: frames of teleoperation follow until `let_go`."""
        self._pressed = asyncio.run_coroutine_threadsafe(self._drive(axes), self._loop)

    def let_go(self) -> None:
        """Let the dead-man switch go."""
        if self._pressed is not None:
            self._pressed.cancel()
        self._do(self._send_frame(0, _AT_REST))

    def next_state(self) -> None:
        """Wait for the next state."""
        seen = self.seen
        self._wait(lambda: self.seen > seen, "another state")

    def wait_mine(self) -> None:
        """Wait until the page shows that it holds control."""
        self._wait(lambda: self.shown.get("control", {}).get("mine"), "control")

    def suspend(self) -> None:
        """Suspend the browser: its socket stays open and is not read."""
        self._running.clear()
        self._loop.call_soon_threadsafe(self._running.wait)

    def resume(self) -> None:
        """Resume after `suspend`."""
        self._running.set()

    def leave(self) -> None:
        """Close the tab."""
        assert self._socket is not None
        self._do(self._socket.close())

    def close(self) -> None:
        """End the thread."""
        self.resume()
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

    async def _drive(self, axes: Sequence[float]) -> None:
        while True:
            await self._send_frame(1, axes)
            await asyncio.sleep(_FRAME_S)

    async def _send_frame(self, held: int, axes: Sequence[float]) -> None:
        frame = {"axes": list(axes), "buttons": [held, 0], "lease": self.lease}
        numbers = {"id": 0, "seen": self.seen, "shown": self.newest}
        assert self._socket is not None
        await self._socket.send_json({"type": "drive", **numbers, **frame})

    async def _read(self, connection: Any) -> None:
        async for message in connection:
            if message.type != aiohttp.WSMsgType.TEXT:
                self.pictures[message.data[0]] += 1
                continue
            content = json.loads(message.data)
            if content["type"] == "answer":
                self._answers[content["id"]] = content
                continue
            if content["type"] == "state":
                self.lease = content["control"]["lease"]
                self.shown |= content
                self.seen = content["n"]
            self.newest = content["n"]
            with contextlib.suppress(ConnectionError, RuntimeError):
                await connection.send_json({"type": "seen", "seen": content["n"]})

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
        """Drop all data from now on, without closing the connections."""
        self._dead.set()

    def reset(self) -> None:
        """Reset the connections, as the kernel does when the browser's process dies."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._dead.set()
                each.close()

    def close(self) -> None:
        """Close everything."""
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
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._dead.is_set():
                    target.sendall(data)


def free_port() -> int:
    """Return a free TCP port on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
