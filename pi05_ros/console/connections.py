"""Limit on open connections that always leaves room for new requests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass
class _Connection:
    address: str
    idle_since: int  # Counter of changes over all connections.
    uses: int = 0  # Number of requests in progress; above 0: busy.


class ConnectionLimiter:
    """Accepts connections, and closes the longest idle one when there are too many.

    Connections without a complete request are idle and may be closed for new ones. A connection
    that carries a stop or a page is busy and is never closed.

    Args:
        server: Creates the protocol of a connection.
        most: Maximum number of connections.
        of_address: Maximum number of connections of one address.
    """

    def __init__(self, server: web.Server, most: int, of_address: int) -> None:
        self._server, self._most, self._of_address = server, most, of_address
        self._connections: dict[asyncio.BaseTransport, _Connection] = {}
        self._changes = itertools.count()

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of one new connection."""
        return _PendingConnection(self)

    @contextlib.contextmanager
    def busy(self, transport: asyncio.BaseTransport | None) -> Iterator[None]:
        """Mark a connection as busy within the context."""
        connection = self._connections.get(transport) if transport is not None else None
        if connection is None:
            yield
            return
        connection.uses += 1
        try:
            yield
        finally:
            connection.uses -= 1
            connection.idle_since = next(self._changes)

    def enter(self, transport: asyncio.Transport) -> None:
        """Pass a connection to the server, or abort it."""
        for other in [t for t in self._connections if t.is_closing()]:
            del self._connections[other]
        address = _address(transport)
        same = [t for t, c in self._connections.items() if c.address == address]
        if not (
            self._has_room(same, self._of_address)
            and self._has_room(list(self._connections), self._most)
        ):
            transport.abort()
            return
        self._connections[transport] = _Connection(address, next(self._changes))
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)

    def _has_room(self, transports: list[Any], most: int) -> bool:
        """Check whether there are fewer than `most`; close an idle one if needed."""
        if len(transports) < most:
            return True
        idle = [t for t in transports if not self._connections[t].uses]
        if not idle:
            return False
        oldest = min(idle, key=lambda t: self._connections[t].idle_since)
        oldest.abort()
        del self._connections[oldest]
        return True


class _PendingConnection(asyncio.Protocol):
    """Protocol of a connection until its transport, and so its address, is known."""

    def __init__(self, connections: ConnectionLimiter) -> None:
        self._door = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._door.enter(transport)


def _address(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""
