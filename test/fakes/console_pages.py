"""A console without a graph: a robot that records commands, and pages as plain clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import aiohttp

from pi05_ros.console.answers import Answer
from pi05_ros.console.control import ControlArbiter
from pi05_ros.console.gate import Gate
from pi05_ros.console.hub import Hub
from pi05_ros.console.page_state import PageState
from pi05_ros.console.pictures import Pictures
from pi05_ros.console.server import Server


class TurnedClock:
    """Stands still until the test turns it."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class NotingRobot:
    """Does nothing, and says that it did."""

    def __init__(self):
        self.done = []
        self.stops = 0
        self.watched = []
        self.driven = []  # Frames of teleoperation.
        self.hold = None  # An asyncio.Event that stops wait for.

    async def stop(self):
        self.stops += 1
        if self.hold is not None:
            await self.hold.wait()
        return Answer(200, "stopped")

    async def do(self, name, arguments):
        self.done.append((name, dict(arguments)))
        return Answer(200, f"{name} done")

    def drive(self, frame):
        self.driven.append(frame)

    def watch(self, on):
        self.watched.append(on)


class ServedConsole:
    """A server on a free port, with all that it shares."""

    def __init__(self, *, token="", required=False, **hub):
        self.robot = NotingRobot()
        self.page_state = PageState()
        self.pictures = Pictures(("front", "back"), 10.0, TurnedClock())
        self.control = ControlArbiter(time.monotonic)
        self.hub = Hub(
            self.robot,
            self.page_state,
            self.pictures,
            self.control,
            require_operator=required,
            **hub,
        )
        self.server = Server(self.hub, Gate("127.0.0.1", token), 0)
        self.url = self.server.url.rstrip("/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()


class Page:
    """Client that behaves as the page does, without a browser."""

    def __init__(self, session, socket):
        self.session, self.socket = session, socket
        self.seen, self.control, self.sections = 0, {}, {}
        self.shown = 0  # Of any kind of message.
        self.pictures = []
        self.answers = {}
        self.awake = True
        self.beats = 0
        self._requests = 0
        self._reader = asyncio.create_task(self._read())

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url, headers=None):
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(url + "/ws") as socket,
        ):
            page = cls(session, socket)
            await page.until(lambda: page.seen)
            yield page
            page._reader.cancel()

    async def _read(self):
        async for message in self.socket:
            if message.type == aiohttp.WSMsgType.BINARY:
                self.pictures.append(message.data)
                continue
            received = json.loads(message.data)
            if received["type"] == "answer":
                self.answers[received["id"]] = received
                continue
            if not self.awake:
                continue
            if received["type"] == "state":
                self.seen = received["n"]
                self.control = received["control"]
                self.sections |= received
            else:
                self.beats += 1
            self.shown = received["n"]
            with contextlib.suppress(ConnectionError):
                await self.socket.send_json({"type": "seen", "seen": received["n"]})

    async def ask(self, kind, **fields):
        """Sends a request and gives its answer."""
        self._requests += 1
        number = self._requests
        lease = self.control.get("lease", 0)
        message = {"type": kind, "id": number, "seen": self.seen, "lease": lease, **fields}
        await self.socket.send_json(message)
        await self.until(lambda: number in self.answers)
        return self.answers[number]

    async def take(self, over=0):
        """Takes control; returns when the page shows it."""
        answer = await self.ask("take", lease=over)
        if answer["status"] == 200:
            await self.until(lambda: self.control["mine"])
        return answer

    async def command(self, name, **arguments):
        return await self.ask("command", name=name, arguments=arguments)

    async def drive(self, held=1, **fields):
        """Sends one frame of teleoperation; only a refusal is answered."""
        self._requests += 1
        message = {
            "type": "drive", "id": self._requests, "lease": self.control["lease"],
            "seen": self.seen, "shown": self.shown, "axes": [0.5] + [0] * 9 + [-1, -1],
            "buttons": [held, 0], **fields,
        }  # fmt: skip
        await self.socket.send_json(message)
        return self._requests

    async def until(self, condition, seconds=10.0):
        """Waits until `condition()` is true."""
        end = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < end, "waited in vain"
            await asyncio.sleep(0.005)
