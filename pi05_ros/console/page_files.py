"""Files of the page, read once; no other file is served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Served without a token.
PUBLIC = ("/login.html", "/style.css", "/icon.svg")


@dataclass(frozen=True)
class PageFile:
    """One served file."""

    body: bytes
    content_type: str


def page_files(folder: Path = _FOLDER) -> dict[str, PageFile]:
    """Return request path ("/app.js") -> file; "/" is the page."""
    files = {
        f"/{path.name}": PageFile(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(folder.iterdir())
        if path.suffix in _TYPES
    }
    return {"/": files["/index.html"], **files}
