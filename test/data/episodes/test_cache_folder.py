"""A cache of bounded size whose files are whole or absent."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from pi05_ros.data.episodes.cache_folder import (
    CacheError,
    CacheFolder,
    default_folder,
    default_limit,
)
from pi05_ros.errors import ConfigError


def cache(tmp_path, limit=1000):
    return CacheFolder(tmp_path / "cache", limit)


def names(cached):
    return sorted(path.name for path in cached.folder.iterdir())


def test_a_written_file_is_read(tmp_path):
    cached = cache(tmp_path)
    assert cached.read("a", "x") is None
    cached.write("a", "x", b"one")
    cached.write("a", "x", b"two")
    assert pickle.loads(pickle.dumps(cached)).read("a", "x") == b"two"


def test_an_unfinished_file_is_absent(tmp_path):
    cached = cache(tmp_path)
    with pytest.raises(ZeroDivisionError), cached.replacing("a", "x") as path:
        path.write_bytes(b"half")
        1 / 0  # noqa: B018 - the process fails
    assert cached.read("a", "x") is None
    assert [p.name for p in (cached.folder / "a").iterdir()] == ["used"]


def test_the_entries_used_longest_ago_go_first(tmp_path):
    cached = cache(tmp_path)
    for hours, key in ((5, "old"), (1, "new"), (3, "middle")):
        cached.write(key, "x", bytes(300))
        used = os.stat(cached.folder / key / "used").st_mtime - 3600 * hours
        os.utime(cached.folder / key / "used", (used, used))
    cached.make_room(100)
    assert names(cached) == ["middle", "new", "old"]
    cached.make_room(400)
    assert names(cached) == ["middle", "new"]
    assert cached.read("middle", "x") is not None  # Counts as a use.
    cached.make_room(700)
    assert names(cached) == ["middle"]


def test_needed_entries_stay_and_too_large_a_request_is_an_error(tmp_path):
    cached = cache(tmp_path)
    cached.write("a", "x", bytes(600))
    cached.write("b", "x", bytes(300))
    with pytest.raises(CacheError, match=r"may hold 0.0 GB.*allow more with PI05_CACHE_GB"):
        cached.make_room(500, keep={"a"})
    assert names(cached) == ["a"]


def test_unfinished_files_are_removed_after_a_day_and_other_folders_stay(tmp_path):
    cached = cache(tmp_path)
    cached.write("a", "x", b"1")
    (cached.folder / "theirs").mkdir()
    (cached.folder / "theirs" / "thesis.tex").write_bytes(bytes(5000))
    for name, age in ((".tmp-old", 90_000), (".tmp-new", 80_000)):
        path = cached.folder / "a" / name
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    cached.make_room(900)
    assert sorted(p.name for p in (cached.folder / "a").iterdir()) == [".tmp-new", "used", "x"]
    cached.make_room(1000)
    assert names(cached) == ["theirs"]


def test_two_processes_hold_the_lock_one_after_the_other(tmp_path):
    cached = cache(tmp_path)
    held = (
        "import sys; from pathlib import Path\n"
        "from pi05_ros.data.episodes.cache_folder import CacheFolder\n"
        "with CacheFolder(Path(sys.argv[1]), 1000).exclusive('a', 'x'):\n"
        "    print('in', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", held, str(cached.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout.readline() == b"in\n"
    import fcntl

    with open(cached.folder / "a" / "x.lock", "wb") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    cached.write("a", "x", b"1")
    with pytest.raises(CacheError, match="wanted at once"):
        cached.make_room(1000)  # A locked entry stays.
    assert names(cached) == ["a"]
    other.communicate()
    with cached.exclusive("a", "x"), cached.exclusive("a", "y"), cached.exclusive("b", "x"):
        pass
    cached.make_room(1000)
    assert "a" not in names(cached)


def test_a_read_only_cache_is_read(tmp_path, monkeypatch):
    cached = cache(tmp_path)
    cached.write("a", "x", b"1")
    monkeypatch.setattr(Path, "touch", lambda *_: (_ for _ in ()).throw(PermissionError(13, "no")))
    assert cached.read("a", "x") == b"1"
    with pytest.raises(CacheError, match="cannot be written"):
        cached.write("a", "x", b"2")


def test_the_error_of_a_folder_that_cannot_be_written_names_the_remedy(tmp_path):
    (tmp_path / "cache").write_bytes(b"a file")
    with pytest.raises(CacheError, match="choose another folder with PI05_CACHE"):
        cache(tmp_path).write("a", "x", b"1")


def test_the_environment_sets_folder_and_limit(monkeypatch):
    monkeypatch.setenv("PI05_CACHE", "/x/y")
    assert str(default_folder()) == "/x/y"
    monkeypatch.delenv("PI05_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert str(default_folder()) == "/xdg/pi05_ros"
    monkeypatch.setenv("PI05_CACHE_GB", "2.5")
    assert default_limit() == 2_500_000_000
    for wrong in ("much", "-1", "nan"):
        monkeypatch.setenv("PI05_CACHE_GB", wrong)
        with pytest.raises(ConfigError, match="wanted gigabytes above 0"):
            default_limit()
