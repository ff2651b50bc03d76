"""Repair of bags whose recorder was killed, and of bags that were cut later, as by a copy.

A file that was closed is not changed. Every whole chunk of a torn file is copied into a new file
beside it; the torn file is kept under another name. Then the bag gets its metadata.yaml, with
facts that say that it was recovered, and its mark is removed. If the repair is interrupted, a
second run finishes it.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.data.bags import metadata as bag_metadata
from pi05_ros.data.bags.damage import Progress, is_damaged
from pi05_ros.data.bags.facts import PREFIX, BagError, EpisodeFacts, describes_episode
from pi05_ros.data.bags.mark import IncompleteMark, Reserve, is_locked, is_marked
from pi05_ros.data.bags.mcap_file import McapFile
from pi05_ros.data.bags.mcap_source import McapSource
from pi05_ros.data.bags.metadata import FILE, BagMetadata, FileEntry, TopicEntry
from pi05_ros.data.bags.salvage import Salvage, Salvaged
from pi05_ros.data.bags.sink import sync_folder, write_atomically
from pi05_ros.data.bags.verification import verify

TORN = ".torn"  # the end of a torn original's name
RECOVERED = f"{PREFIX}recovered"  # Key of custom_data, also in a bag without other facts of ours.
_BESIDE = ".recovering"


@dataclass(frozen=True)
class Recovered:
    """Result of a recovery."""

    folder: Path
    messages: int  # in the bag now
    lost_bytes: int  # that could not be read, at the ends of torn files or within them
    files: tuple[Path, ...]  # of the bag now
    torn: tuple[Path, ...]  # originals that were replaced, kept or not
    facts: EpisodeFacts | None  # None: it is no episode of the suite
    was_whole: bool = False  # nothing had to be repaired; at most the mark was removed


def needs_recovery(folder: Path) -> bool:
    """Check whether a folder holds a bag of ours that was not closed and that is not locked.

    Another recorder's bag without metadata.yaml does not count: it may be recording, and it has no
    lock that would show this. `recover` repairs it when called for it.
    """
    return folder.is_dir() and is_marked(folder) and not is_locked(folder)


def recover(folder: Path, *, keep: bool = True, progress: Progress | None = None) -> Recovered:
    """Repair a bag; a bag that is whole is not changed.

    Args:
        folder: The bag's folder.
        keep: Whether to keep torn files, as NAME.mcap.torn, and a broken metadata.yaml.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        BagError: It is no MCAP bag, another process works on it, or the disk failed. The original
            files are kept.
    """
    if not folder.is_dir():
        raise BagError(f"there is no bag {folder}: wanted its folder")
    was_closed = not is_marked(folder) and (folder / FILE).exists()
    progress = progress or (lambda done, total: None)
    if was_closed and not is_damaged(folder, progress):
        return _whole(folder)
    if not is_marked(folder) and not _parts(folder):
        if any(folder.glob("*.db3")):
            raise BagError(
                f"{folder} is stored in sqlite3: repair it with `ros2 bag reindex {folder}`"
            )
        raise BagError(f"{folder} is no bag: there is no .mcap file in it")
    was_marked = is_marked(folder)
    try:
        mark = IncompleteMark(folder)
    except OSError as error:
        raise BagError(f"{folder} cannot be repaired ({error.strerror})") from error
    try:
        return _repair(folder, mark, was_marked, was_closed, keep, progress)
    except OSError as error:
        raise BagError(
            f"{folder} could not be repaired ({error.strerror}); the original files are kept"
        ) from error
    finally:
        mark.release()


def _repair(
    folder: Path,
    mark: IncompleteMark,
    was_marked: bool,
    was_closed: bool,
    keep: bool,
    progress: Progress,
) -> Recovered:
    Reserve.clear(folder)
    for path in folder.glob(f"*{_BESIDE}"):
        path.unlink()
    for path in folder.glob(f"*.mcap{TORN}"):  # left by a run that was killed between two renames
        if not path.with_suffix("").exists():
            path.rename(path.with_suffix(""))
    parts = _parts(folder)
    closed_metadata = _closed_metadata(folder)
    sizes = [part.stat().st_size for part in parts]
    total, done = sum(sizes), 0
    damages: list[tuple[Path, Salvaged]] = []
    for part, size in zip(parts, sizes, strict=True):
        before = done

        def advance(read: int, before: int = before, size: int = size) -> None:
            progress(before + min(read, size), total)

        found = _repair_part(part, advance)
        if found is not None:
            damages.append((part, found))
        done += size
    metadata = _joined(parts)
    if closed_metadata is not None and not damages and closed_metadata.topics == metadata.topics:
        # The recorder was killed after it wrote everything: only the mark is left.
        mark.remove()
        return _whole(folder)
    facts = _facts(folder, closed_metadata, was_closed, metadata, damages)
    if was_marked or _is_ours(facts, metadata):
        custom_data = facts.to_custom_data()
    else:  # Of another stack: facts would keep it from being adopted.
        others = closed_metadata.custom_data if closed_metadata is not None else {}
        custom_data = {**others, RECOVERED: facts.recovered}
    metadata = dataclasses.replace(metadata, custom_data=custom_data)
    if was_closed and closed_metadata is None and keep:
        (folder / FILE).replace(folder / f"{FILE}{TORN}")
    write_atomically(folder / FILE, metadata.to_yaml())
    torn = tuple(part.with_name(part.name + TORN) for part, _ in damages)
    if not keep:
        for path in folder.glob(f"*.mcap{TORN}"):
            path.unlink()
    mark.remove()
    return Recovered(
        folder=folder,
        messages=metadata.count,
        lost_bytes=sum(found.lost_bytes for _, found in damages),
        files=tuple(parts),
        torn=torn,
        facts=_parsed(custom_data, folder),
    )


def _is_ours(facts: EpisodeFacts, metadata: BagMetadata) -> bool:
    """Check whether a bag has facts from its recorder, or else a topic of the suite's messages."""
    ours = any(topic.type.startswith("pi05_msgs/") for topic in metadata.topics)
    return ours or bool(facts.platform or facts.started_ns)


def _repair_part(part: Path, advance: Callable[[int], None]) -> Salvaged | None:
    """Repair a file; None: it was whole."""
    try:
        verify(part, deep=True, progress=advance)
        return None
    except BagError:
        pass
    beside = part.with_name(part.name + _BESIDE)
    target = McapFile(beside)
    try:
        found = _rewrite(part, target, advance)
        verify(beside, deep=True)
    except (OSError, BagError):
        with suppress(OSError):
            beside.unlink()
        raise
    finally:
        target.close()
    torn = part.with_name(part.name + TORN)
    torn.unlink(missing_ok=True)
    try:
        os.link(part, torn)
    except OSError:  # a file system without hard links
        part.rename(torn)
    beside.replace(part)
    sync_folder(part.parent)
    return found


def _rewrite(part: Path, target: McapFile, advance: Callable[[int], None]) -> Salvaged:
    found = Salvage(part, target, advance).run()
    target.finish()
    target.sink.sync()
    return found


def _joined(parts: list[Path]) -> BagMetadata:
    """Metadata of all files together."""
    topics: dict[str, TopicEntry] = {}
    files: list[FileEntry] = []
    distribution = bag_metadata.distribution()
    for part in parts:
        source = McapSource(part)
        try:
            one = source.metadata()
        finally:
            source.close()
        files += one.files
        for topic in one.topics:
            known = topics.get(topic.name)
            count = topic.count + (known.count if known else 0)
            topics[topic.name] = dataclasses.replace(known or topic, count=count)
    return BagMetadata(tuple(files), tuple(topics.values()), ros_distro=distribution)


def _facts(
    folder: Path,
    closed_metadata: BagMetadata | None,
    was_closed: bool,
    metadata: BagMetadata,
    damages: list[tuple[Path, Salvaged]],
) -> EpisodeFacts:
    """The episode's facts, with one sentence on the recovery."""
    known = _parsed(closed_metadata.custom_data, folder) if closed_metadata is not None else None
    for file in reversed(metadata.files):
        if known is None:
            source = McapSource(folder / file.name)
            try:
                known = _parsed(source.custom_data(), folder)
            finally:
                source.close()
    damaged = ", ".join(
        f"{found.lost_bytes} bytes of {part.name} were not whole" for part, found in damages
    )
    sentence = (
        f"{'damaged after it was closed' if was_closed else 'not closed by its recorder'}; "
        f"{metadata.count} messages kept; {damaged or 'every file was whole'}"
    )
    if was_closed and closed_metadata is None:
        sentence += f"; its {FILE} was broken, a grade given afterwards is lost"
    if known is None:
        known = EpisodeFacts(id=folder.name)
        sentence += "; nothing is known of the episode"
    ended = known.ended or ("" if was_closed else "its recorder was killed")
    return dataclasses.replace(known, recovered=sentence, ended=ended)


def _parsed(data: dict[str, str] | object, where: Path) -> EpisodeFacts | None:
    if not isinstance(data, dict) or not describes_episode(data):
        return None
    try:
        return EpisodeFacts.from_custom_data(data, str(where))
    except BagError:
        return None


def _closed_metadata(folder: Path) -> BagMetadata | None:
    try:
        return bag_metadata.read(folder) if (folder / FILE).exists() else None
    except BagError:
        return None


def _whole(folder: Path) -> Recovered:
    metadata = bag_metadata.read(folder)
    return Recovered(
        folder=folder,
        messages=metadata.count,
        lost_bytes=0,
        files=tuple(folder / file.name for file in metadata.files),
        torn=(),
        facts=_parsed(dict(metadata.custom_data), folder),
        was_whole=True,
    )


def _parts(folder: Path) -> list[Path]:
    """The bag's MCAP files, in the order of their numbers."""

    def place(path: Path) -> tuple[int, str]:
        number = re.search(r"_(\d+)\.mcap$", path.name)
        return (int(number.group(1)) if number else -1, path.name)

    names = {path.name.removesuffix(TORN) for path in folder.glob(f"*.mcap{TORN}")}
    names |= {path.name for path in folder.glob("*.mcap")}
    return sorted((folder / name for name in names), key=place)
