"""How many connections are open: there is always room for who comes anew and asks."""

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
    idle_since: int  # Rises with each change, of whichever connection.
    uses: int = 0  # Above 0: it is busy.


class ConnectionLimiter:
    """Lets connections in, and ends the one that was idle the longest when they are too many.

    Whoever opens connections and asks nothing, or sends half a request, costs others nothing: such
    connections give way. Those by which a stop or a page comes never do.

    Args:
        server: Makes the protocol of a connection.
        most: Connections.
        of_address: Connections of one address.
    """

    def __init__(self, server: web.Server, most: int, of_address: int) -> None:
        self._server, self._most, self._of_address = server, most, of_address
        self._connections: dict[asyncio.BaseTransport, _Connection] = {}
        self._changes = itertools.count()

    def protocol(self) -> asyncio.Protocol:
        """Of one connection that is to come."""
        return _PendingConnection(self)

    @contextlib.contextmanager
    def busy(self, transport: asyncio.BaseTransport | None) -> Iterator[None]:
        """Meanwhile a connection does not give way."""
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
        """Hands a connection to the server, or ends it."""
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
        """Whether there are fewer than `most`, if need be after an idle one has ended."""
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
    """Until a connection has a transport, and with it an address."""

    def __init__(self, connections: ConnectionLimiter) -> None:
        self._door = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._door.enter(transport)


def _address(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""
