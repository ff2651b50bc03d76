"""Sends requests as fast as they are answered: `python -m … URL TOKEN COUNT SECONDS`.

It is a process of its own, since inside the harness it would starve the fake robot. It ends after
COUNT requests or after SECONDS and prints the number of responses by status as JSON; status 0: the
connection was closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

import aiohttp

_AT_ONCE = 32  # Requests under way.


async def flood(url: str, token: str, count: int, seconds: float) -> Counter[int]:
    """Return the number of responses by status."""
    statuses: Counter[int] = Counter()
    left = iter(range(count))
    end = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {token}"}

    async def one_after_the_other() -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
            for _ in left:
                if time.monotonic() > end:
                    return
                try:
                    async with session.get(url) as answer:
                        statuses[answer.status] += 1
                except aiohttp.ClientConnectionError:
                    statuses[0] += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(_AT_ONCE)))
    return statuses


if __name__ == "__main__":
    url, token, count, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(flood(url, token, int(count), float(seconds)))))
