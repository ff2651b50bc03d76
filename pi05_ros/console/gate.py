"""Access rules of the server: Host, Origin, token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass

COOKIE = "pi05_console"
MIN_TOKEN = 12  # Characters.
_HOST = re.compile(r"(\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Gate:
    """Access rules of one server.

    A page of another site can reach a server on loopback through the operator's own browser.
    Browsers send the site of such a request (Origin) and the name of this server (Host): another
    site can resolve its own name to this machine, but that name is not an IP address.
    """

    host: str  # Address that the server listens on.
    token: str = ""  # Empty: none is required.
    names: tuple[str, ...] = ()  # Further host names of the machine.

    def __post_init__(self) -> None:
        # A browser's form and a header lose spaces and line breaks at the ends.
        if self.token and not re.fullmatch(rf"[!-~]{{{MIN_TOKEN},}}", self.token):
            raise ValueError(
                f"token: wanted at least {MIN_TOKEN} printable ASCII characters without spaces"
            )
        if not self.token and not is_loopback(self.host):
            raise ValueError(
                f"host: '{self.host}' is reachable from other machines and no token is set: set "
                "token, or listen on 127.0.0.1 and connect through ssh -L"
            )

    def host_is_ours(self, header: str) -> bool:
        """Check whether a Host header names this machine."""
        name = _host_name(header)
        if name == "localhost" or name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not is_loopback(self.host)

    def origin_is_ours(self, origin: str | None, host: str) -> bool:
        """Check whether a request comes from this server's page, or from no page."""
        if origin is None:
            return True
        return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())

    def token_fits(self, authorization: str | None, cookie: str | None) -> bool:
        """Check the token, given as `Authorization: Bearer …` or by the cookie."""
        if not self.token:
            return True
        if authorization is not None:
            kind, _, given = authorization.partition(" ")
            return kind.lower() == "bearer" and self.is_token(given.strip())
        return cookie is not None and _equal(cookie, self.cookie)

    def is_token(self, given: str) -> bool:
        """Check whether this is the token, in constant time."""
        return bool(self.token) and _equal(given, self.token)

    @property
    def cookie(self) -> str:
        """Cookie of a browser that has shown the token; it does not reveal the token."""
        return hmac.new(self.token.encode(), b"pi05 console", hashlib.sha256).hexdigest()


def is_loopback(host: str) -> bool:
    """Check whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(header: str) -> str:
    """Return the name in a Host header, without the port; empty if it is malformed."""
    found = _HOST.fullmatch(header)
    return (found["address"] or found["name"]).lower() if found else ""


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
