"""A ROS domain for each demo, so that two on one machine do not hear each other."""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from pi05_ros.errors import Pi05Error

# Beyond 101 the ports of a domain may belong to other programs on Linux (ROS 2 documentation).
_DOMAINS = range(1, 102)


@contextmanager
def own_domain(environ: MutableMapping[str, str] = os.environ) -> Iterator[str]:
    """Sets ROS_DOMAIN_ID to a domain that no other demo on this machine has, and gives it.

    A domain that the caller has chosen is kept. `./pi05` sets one for its checkout, and says so in
    PI05_CHECKOUT_DOMAIN_ID: that one nobody has chosen.

    Raises:
        Pi05Error: Demos run in all of them.
    """
    chosen = environ.get("ROS_DOMAIN_ID", "")
    if chosen and chosen != environ.get("PI05_CHECKOUT_DOMAIN_ID"):
        yield chosen
        return
    folder = Path(tempfile.gettempdir()) / f"pi05-demo-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for domain in random.SystemRandom().sample(_DOMAINS, len(_DOMAINS)):
        with (folder / str(domain)).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Ends with the process.
            except OSError:
                continue
            environ["ROS_DOMAIN_ID"] = str(domain)
            yield str(domain)
            return
    raise Pi05Error("another demo runs in each of the ROS domains of this machine")
