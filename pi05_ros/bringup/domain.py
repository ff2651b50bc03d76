"""A ROS domain of its own for each run, so that two on one machine do not interfere."""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pi05_ros.errors import Pi05Error

# Ports of a domain: 250 from here for each (DDSI-RTPS 2.2, section 9.6.1).
_FIRST_PORT, _PORTS = 7400, 250
# Beyond 101 the ports of a domain may belong to other programs on Linux (ROS 2 documentation).
_DOMAINS = range(1, 102)


@contextmanager
def own_domain(
    environ: MutableMapping[str, str] = os.environ, domains: Sequence[int] | None = None
) -> Iterator[str]:
    """Set ROS_DOMAIN_ID to a domain that no process on this machine uses.

    A domain that the user has set is kept. `./pi05` sets one for its checkout and repeats it in
    PI05_CHECKOUT_DOMAIN_ID: such a one is replaced.

    Args:
        environ: Environment to read and change.
        domains: Domains to choose from; None: all.

    Yields:
        The domain.

    Raises:
        Pi05Error: All domains are in use.
    """
    chosen = environ.get("ROS_DOMAIN_ID", "")
    if chosen and chosen != environ.get("PI05_CHECKOUT_DOMAIN_ID"):
        yield chosen
        return
    taken = {(port - _FIRST_PORT) // _PORTS for port in _udp_ports()}
    folder = Path(tempfile.gettempdir()) / f"pi05-demo-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    domains = _DOMAINS if domains is None else domains
    for domain in random.SystemRandom().sample(domains, len(domains)):
        if domain in taken:
            continue
        with (folder / str(domain)).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Ends with the process.
            except OSError:
                continue
            environ["ROS_DOMAIN_ID"] = str(domain)
            yield str(domain)
            return
    raise Pi05Error("each of the ROS domains of this machine is in use")


def _udp_ports() -> set[int]:
    """UDP ports that are bound on this machine; empty on systems other than Linux."""
    ports: set[int] = set()
    for name in ("udp", "udp6"):
        try:
            lines = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        ports |= {int(line.split()[1].rsplit(":", 1)[1], 16) for line in lines}
    return ports
