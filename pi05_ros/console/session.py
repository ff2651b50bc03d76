"""Websocket session of one page: states and pictures out, commands in."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from pi05_ros.brain.instructions import clean
from pi05_ros.console.answers import DONE, TOO_MANY, Answer, Refused
from pi05_ros.console.commands import FromPage, number_of, parse
from pi05_ros.console.hub import Hub
from pi05_ros.console.limits import Bucket
from pi05_ros.console.page_state import encode

_REMEMBERED = 512  # Remembered message numbers; as many beats are 20 s.


class Session:
    """Serves one page until its socket closes.

    The page reports the number of each message that it has shown (`seen`). This proves that it is
    awake, measures its delay, and dates the state that its operator's commands are based on.

    Args:
        hub: State shared by the sessions.
        socket: Open websocket.
        address: Address of the page.
    """

    def __init__(self, hub: Hub, socket: web.WebSocketResponse, address: str) -> None:
        self._hub, self._socket, self._address = hub, socket, address
        self._number = hub.join()
        self._name = address
        self._sent: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._count = 0
        self._known_state = 0
        self._known_pictures: dict[str, int] = {}
        self._seen_at = hub.clock()  # When the newest shown state was sent [s].
        self._messages = Bucket(hub.settings.page_rate, hub.clock)
        self._commands = Bucket(hub.settings.command_rate, hub.clock)
        self._doing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the socket closes."""
        sender = asyncio.create_task(self._send_all())
        try:
            async for message in self._socket:
                if message.type != WSMsgType.TEXT:
                    break
                if not self._messages.take():
                    await self._socket.close(code=1008, message=b"too many messages")
                    break
                await self._take(message.data)
        finally:
            self._hub.leave(self._number)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await sender
            for task in self._doing:
                task.cancel()

    # In.

    async def _take(self, text: str) -> None:
        try:
            message = parse(text)
        except Refused as refusal:
            await self._answer(number_of(text), refusal.answer)
            return
        if message.kind == "seen":
            self._on_seen(message.seen)
        elif message.kind == "hello":
            self._name = clean(message.name) or self._address
            self._hub.control.rename(self._number, self._name)
        elif message.kind == "stop":
            self._spawn(self._stop(message.number))
        elif message.kind == "drive":
            await self._drive(message)
        elif not self._commands.take():
            await self._answer(
                message.number, Answer(TOO_MANY, "too many commands: wait a second")
            )
        elif message.kind == "command":
            self._spawn(self._command(message))
        else:
            await self._answer(message.number, self._change_control(message))

    def _on_seen(self, number: int) -> None:
        at = self._time_sent(number)
        if at > self._seen_at:
            self._seen_at = at
            self._hub.control.seen(self._number, at)

    def _time_sent(self, number: int) -> float:
        """Return when a message was sent; -inf if it is not remembered."""
        return next((at for sent, at in reversed(self._sent) if sent == number), float("-inf"))

    async def _drive(self, message: FromPage) -> None:
        """Pass a frame of teleoperation; only a refusal is answered."""
        assert message.frame is not None
        drives = self._hub.drive.driver == self._number
        try:
            self._hub.drive.take(
                self._number,
                message.lease,
                self._time_sent(message.seen),
                self._time_sent(message.shown),
                message.frame,
            )
        except Refused as refusal:
            await self._answer(message.number, refusal.answer)
            return
        if message.frame.dead_man and not drives:
            self._hub.log(f"teleoperation by {self._name} ({self._address})")

    def _change_control(self, message: FromPage) -> Answer:
        control, before = self._hub.control, self._hub.control.holder
        if message.kind == "release":
            if self._hub.drive.driver == self._number:
                self._hub.drive.interrupt()
            control.release(self._number)
            if before is not None and before.session == self._number:
                self._hub.log(f"control released by {self._name}")
            return Answer(DONE, "control released")
        try:
            control.take(
                self._number,
                self._name,
                self._time_sent(message.seen),
                over=message.lease or None,
            )
        except Refused as refusal:
            return refusal.answer
        if before is not None and before.session != self._number:
            self._hub.drive.interrupt()
        over = f" over from {before.name}" if before and before.session != self._number else ""
        self._hub.log(f"control taken{over} by {self._name} ({self._address})")
        return Answer(DONE, "you hold control")

    async def _command(self, message: FromPage) -> None:
        answer = await self._hub.command(
            self._number,
            message.lease,
            self._time_sent(message.seen),
            message.name,
            dict(message.arguments or {}),
        )
        await self._answer(message.number, answer)

    async def _stop(self, number: int) -> None:
        await self._answer(number, await self._hub.stop(f"{self._name} ({self._address})"))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def _answer(self, number: int, answer: Answer) -> None:
        reply = {
            "type": "answer",
            "id": number,
            "status": answer.status,
            "message": answer.message,
        }
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(encode(reply))

    # Out.

    async def _send_all(self) -> None:
        """Send states at their rate, beats between them, and new pictures."""
        settings, clock = self._hub.settings, self._hub.clock
        due = clock()
        try:
            while not self._socket.closed:
                now = clock()
                if now >= due:
                    due = max(due + settings.state_s, now)
                    await self._send_state()
                elif self._holds and (self._hub.require_operator or self._drives):
                    await self._socket.send_str(f'{{"type":"beat","n":{self._next_number()}}}')
                behind = now - self._seen_at
                if behind > settings.dead_s:
                    await self._socket.close(code=1001, message=b"page does not respond")
                    return
                if behind < settings.behind_s:
                    await self._send_pictures()
                await asyncio.sleep(min(settings.beat_s, max(0.0, due - clock())))
        except ConnectionError:
            return

    @property
    def _holds(self) -> bool:
        holder = self._hub.control.holder
        return holder is not None and holder.session == self._number

    @property
    def _drives(self) -> bool:
        return self._hub.drive.driver == self._number

    async def _send_state(self) -> None:
        self._hub.control.lapse()
        holder = self._hub.control.holder
        section = {
            "session": self._number,
            "mine": self._holds,
            "holder": holder.name if holder else "",
            "lease": holder.lease if holder else 0,
            "watchers": self._hub.watchers,
            "required": self._hub.require_operator,
            "stops": self._hub.stops,
            "driving": self._drives,
        }
        self._known_state, changed = self._hub.page_state.since(self._known_state)
        sections = "".join(f',"{name}":{text}' for name, text in changed.items())
        number = self._next_number()
        await self._socket.send_str(
            f'{{"type":"state","n":{number},"control":{encode(section)}{sections}}}'
        )

    def _next_number(self) -> int:
        self._count += 1
        self._sent.append((self._count, self._hub.clock()))
        return self._count

    async def _send_pictures(self) -> None:
        for name, picture in self._hub.pictures.since(self._known_pictures).items():
            self._known_pictures[name] = picture.sequence
            await self._socket.send_bytes(picture.message)
