"""Open the episodes of bags, of folders of bags and of LeRobot datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pi05_ros.data.bags.adopted_file import read_adopted
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.metadata import FILE, MARK
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.foreign.episode import AdoptedEpisode
from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import Platform

_PARTS = (".mcap", ".db3")


def open_episodes(
    path: Path | str,
    *,
    include_recovered: bool = False,
    platform: Platform | None = None,
    cache: CacheFolder | None = None,
    refused: Callable[[Path, Pi05Error], None] | None = None,
) -> list[Episode]:
    """Open the episodes at a path, sorted by name.

    Args:
        path: A bag (its folder, or one file), a folder of bags, or a LeRobot dataset (v2.1, v3).
        include_recovered: Whether to include episodes whose recorder was killed: they lack their
            end, and perhaps messages before it.
        platform: The robot that the episodes must be of; None: any.
        cache: Folder in which the indices of bags are kept; None: they are not kept.
        refused: Called with the path of an episode that cannot be opened and with the error; the
            other episodes are opened. None: the first error is raised.

    Raises:
        Pi05Error: There is no episode, or one cannot be opened and `refused` is None.
    """
    path = Path(path)
    found: list[Episode] = []
    for place, open_one in _openers(path, cache):
        try:
            episode = open_one()
            _check(place, episode.facts, include_recovered, platform)
        except Pi05Error as error:
            if refused is None or place == path:
                raise
            refused(place, error)
        else:
            found.append(episode)
    return found


def _openers(
    path: Path, cache: CacheFolder | None
) -> Iterator[tuple[Path, Callable[[], Episode]]]:
    """Yield the path of each episode and the function that opens it."""
    if (path / "meta" / "info.json").exists():
        from pi05_ros.data.lerobot.reader import open_dataset

        for episode in open_dataset(path, include_recovered=True):
            yield path / episode.facts.id, partial(_identity, episode)
    elif path.is_file() or is_bag(path):
        yield from _of_bag(path, cache)
    elif not path.exists():
        raise BagError(f"there are no episodes at {path}: there is no such file or folder")
    else:
        bags = find_bags(path)
        if not bags:
            raise BagError(
                f"there are no episodes in {path}: wanted bags (folders with {FILE}) or a LeRobot "
                "dataset (a folder with meta/info.json)"
            )
        for bag in bags:
            yield from _of_bag(bag, cache)


def _of_bag(path: Path, cache: CacheFolder | None) -> Iterator[tuple[Path, Callable[[], Episode]]]:
    """Yield the episode of a bag, or those of a recording of another stack."""
    try:
        adopted = read_adopted(path if path.is_dir() else path.parent)
    except BagError as error:
        yield path, partial(_fail, error)
        return
    if adopted is None:
        yield path, partial(BagEpisode, path, cache)
        return
    for number in range(len(adopted.spans)):
        yield path, partial(AdoptedEpisode, path, number, cache)


def _fail(error: BagError) -> Episode:
    raise error


def _identity(episode: Episode) -> Episode:
    return episode


def find_bags(folder: Path) -> list[Path]:
    """Find the bags in a folder and below it, closed or not, sorted by name."""
    found: list[Path] = []
    for inner in sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."):
        found += [inner] if is_bag(inner) else find_bags(inner)
    return found


def is_bag(folder: Path) -> bool:
    """Check whether a folder looks like a bag, closed or not."""
    if not folder.is_dir():
        return False
    try:
        if (folder / FILE).exists() or (folder / MARK).exists():
            return True
        return any(path.suffix in _PARTS for path in folder.iterdir())
    except PermissionError:
        return True  # It may be one: opening it raises the error, and the others are found.


def _check(
    path: Path, facts: EpisodeFacts, include_recovered: bool, platform: Platform | None
) -> None:
    """Raise BagError when an episode is not among those asked for."""
    if facts.recovered and not include_recovered:
        raise BagError(
            f"{path} was recovered ({facts.recovered}) and lacks what the crash destroyed; "
            "--include-recovered reads it all the same"
        )
    if platform is None:
        return
    if facts.platform != platform.name or tuple(facts.names) != platform.names:
        odd = [n for n in facts.names if n not in platform.names]
        which = f", with {', '.join(odd[:3])}" if odd else ""
        raise BagError(
            f"{path} is of another robot: wanted {platform.name} ({platform.size} entries), found "
            f"{facts.platform or 'none named'} ({len(facts.names)} entries{which})"
        )
    if facts.action_names:
        raise BagError(
            f"{path} has actions of other entries ({_some(facts.action_names)}) than its states "
            f"({_some(facts.names)}): wanted those of {platform.name} in both; if they are the "
            "same entries, name them alike in the dataset's meta/info.json"
        )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f", … {len(names)} in all" if len(names) > 3 else "")
