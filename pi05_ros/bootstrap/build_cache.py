"""Cache of built folders in the user's home, shared by all checkouts.

An entry is one tar file, `KEY-DIGEST.tar.gz`. The digest is that of the file itself, so a damaged
entry is recognised and built again. Entries are written beside their final name and renamed: two
set-ups at once never see half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

KEPT = 8  # Entries; the least recently used ones are removed.

# Stands for the checkout's folder in text files, which name it.
_ROOT = b"@PI05_CHECKOUT@"


class BuildCache:
    """Stores and restores a folder that a checkout has built.

    Args:
        folder: The folder of the entries; made when the first one is stored.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def restore(self, key: str, root: Path, target: Path) -> bool:
        """Restore a folder.

        Args:
            key: Hash of the inputs of the build; letters and digits.
            root: The checkout that the folder is restored in.
            target: The folder, below `root`. It must not exist.

        Returns:
            True when the folder is complete; False where no entry of this key is intact.
        """
        for entry in sorted(self._folder.glob(f"{key}-*.tar.gz")):
            with contextlib.suppress(OSError, EOFError, tarfile.TarError):
                packed = entry.read_bytes()
                if entry.name == _entry_name(key, packed):
                    _unpack(packed, root, target)
                    os.utime(entry)  # Marks it as used.
                    return True
            entry.unlink(missing_ok=True)
        return False

    def store(self, key: str, root: Path, source: Path) -> None:
        """Store a folder, and remove the least recently used entries.

        Args:
            key: Hash of the inputs of the build; letters and digits.
            root: The checkout that built the folder.
            source: The folder, below `root`.

        Raises:
            OSError: The cache cannot be written.
        """
        packed = _packed(root, source)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".new", delete=False) as file:
            try:
                file.write(packed)
                file.close()
                os.replace(file.name, self._folder / _entry_name(key, packed))
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        self._remove_old()

    def _remove_old(self) -> None:
        """Remove all but the most recently used files, unfinished ones included."""
        used = {}
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # Another set-up has removed it.
                used[path] = path.stat().st_mtime
        for path in sorted(used, key=used.__getitem__, reverse=True)[KEPT:]:
            path.unlink(missing_ok=True)


def cache_of_user(environ: Mapping[str, str]) -> BuildCache | None:
    """Return the cache that an environment names.

    `PI05_CACHE` is its folder, or 0 for none. The default is `pi05_ros` in XDG_CACHE_HOME, or in
    `.cache` of the home folder; None where there is neither.
    """
    chosen = environ.get("PI05_CACHE", "")
    if chosen == "0":
        return None
    if chosen:
        return BuildCache(Path(chosen).absolute())
    home = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(environ.get("HOME", ""), ".cache")
    return BuildCache(Path(home) / "pi05_ros") if os.path.isabs(home) else None


def _entry_name(key: str, packed: bytes) -> str:
    return f"{key}-{hashlib.sha256(packed).hexdigest()[:16]}.tar.gz"


def _packed(root: Path, source: Path) -> bytes:
    """Return a folder as a tar file, without byte code and with `root` replaced in text files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=3) as tar:
        for path in sorted(source.rglob("*")):
            if not path.is_file() or path.suffix == ".pyc":
                continue
            data = path.read_bytes()
            if b"\0" not in data:
                data = data.replace(os.fsencode(root), _ROOT)
            info = tarfile.TarInfo(str(path.relative_to(source)))
            info.size, info.mode = len(data), path.stat().st_mode & 0o777
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _unpack(packed: bytes, root: Path, target: Path) -> None:
    """Write the files of a tar file below a folder that appears when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            for info in tar:
                file = tar.extractfile(info)
                if file is None:
                    continue
                data = file.read()
                if b"\0" not in data:
                    data = data.replace(_ROOT, os.fsencode(root))
                path = unfinished / info.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                path.chmod(info.mode)
        unfinished.chmod(0o755)  # mkdtemp's is for its owner alone.
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
