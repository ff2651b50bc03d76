"""The cache of built folders: what comes back, where to, and what happens to a damaged entry."""

import os

import pytest

from pi05_ros.bootstrap import build_cache
from pi05_ros.bootstrap.build_cache import BuildCache, cache_of_user

LIBRARY = b"\x7fELF\0 built in {root}"


@pytest.fixture
def built(tmp_path):
    """A checkout with a built folder: a text file that names it, a library and byte code."""
    root = tmp_path / "first"
    folder = root / "install" / "interfaces"
    (folder / "p" / "lib" / "__pycache__").mkdir(parents=True)
    (folder / "p" / "setup.sh").write_text(f"export PREFIX={folder}/p\n")
    (folder / "p" / "setup.sh").chmod(0o755)
    (folder / "p" / "lib" / "libp.so").write_bytes(LIBRARY.replace(b"{root}", bytes(root)))
    (folder / "p" / "lib" / "__pycache__" / "p.cpython-311.pyc").write_bytes(b"x")
    return folder


@pytest.fixture
def cache(tmp_path):
    return BuildCache(tmp_path / "cache")


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_another_checkout_gets_the_folder_with_its_own_path(built, cache, tmp_path):
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    cache.store("k1", first, built)
    target = second / "install" / "interfaces"
    assert cache.restore("k1", second, target)
    assert files(target) == ["p/lib/libp.so", "p/setup.sh"]
    assert (target / "p" / "setup.sh").read_text() == f"export PREFIX={target}/p\n"
    assert (target / "p" / "setup.sh").stat().st_mode & 0o777 == 0o755
    # A library is not text: its strings have a fixed length.
    assert (target / "p" / "lib" / "libp.so").read_bytes() == (
        built / "p" / "lib" / "libp.so"
    ).read_bytes()
    assert [p.name for p in target.parent.iterdir()] == ["interfaces"]


def test_another_key_finds_nothing(built, cache, tmp_path):
    cache.store("k1", tmp_path / "first", built)
    assert not cache.restore("k", tmp_path / "first", tmp_path / "target")
    assert not cache.restore("k2", tmp_path / "first", tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_entry_is_removed_and_not_used(built, cache, tmp_path, damage):
    cache.store("k1", tmp_path / "first", built)
    (entry,) = (tmp_path / "cache").iterdir()
    data = bytearray(entry.read_bytes())
    if damage == "cut":
        data = data[:-20]
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
    else:
        data.clear()
    entry.write_bytes(data)
    assert not cache.restore("k1", tmp_path / "second", tmp_path / "target")
    assert not entry.exists()
    assert not (tmp_path / "target").exists()


def test_a_target_that_cannot_be_written_leaves_nothing(built, cache, tmp_path, monkeypatch):
    cache.store("k1", tmp_path / "first", built)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build_cache.Path, "write_bytes", full)
    assert not cache.restore("k1", tmp_path / "second", tmp_path / "second" / "target")
    assert list((tmp_path / "second").iterdir()) == []


def test_two_set_ups_may_store_the_same(built, cache, tmp_path):
    cache.store("k1", tmp_path / "first", built)
    cache.store("k1", tmp_path / "first", built)
    assert cache.restore("k1", tmp_path / "second", tmp_path / "target")


def test_the_least_recently_used_entries_are_removed(built, cache, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    for age in range(build_cache.KEPT + 3):
        old = folder / f"old{age}-0.tar.gz"
        old.touch()
        os.utime(old, (1000 - age, 1000 - age))
    left = folder / "half.new"  # Of a set-up that was killed.
    left.touch()
    os.utime(left, (1, 1))
    cache.store("k1", tmp_path / "first", built)
    names = {p.name.partition("-")[0] for p in folder.iterdir()}
    assert names == {"k1", *(f"old{age}" for age in range(build_cache.KEPT - 1))}


def test_use_keeps_an_entry(built, cache, tmp_path):
    cache.store("k1", tmp_path / "first", built)
    (entry,) = (tmp_path / "cache").iterdir()
    os.utime(entry, (1, 1))
    cache.restore("k1", tmp_path / "second", tmp_path / "target")
    assert entry.stat().st_mtime > 1000


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/home/a"}, "/home/a/.cache/pi05_ros"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "/c"}, "/c/pi05_ros"),
        ({"HOME": "/home/a", "XDG_CACHE_HOME": "relative"}, "/home/a/.cache/pi05_ros"),
        ({"HOME": "/home/a", "PI05_CACHE": "/big/cache"}, "/big/cache"),
    ],
)
def test_the_folder_of_the_cache(environ, folder):
    assert str(cache_of_user(environ)._folder) == folder


@pytest.mark.parametrize("environ", [{"HOME": "/home/a", "PI05_CACHE": "0"}, {}])
def test_no_cache(environ):
    assert cache_of_user(environ) is None
