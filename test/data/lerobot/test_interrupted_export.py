"""An export that is killed, fails or is stopped resumes and gives the same bytes."""

import os
import signal

import pytest
from fakes.drawn_episodes import DrawnEpisode, drawn
from fakes.exports import contents, three, why

from pi05_ros.cameras.decoding import PictureError
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.episodes.cache_folder import CacheError
from pi05_ros.data.lerobot import files, publish
from pi05_ros.data.lerobot.export import STAGING, ExportSettings, export
from pi05_ros.data.lerobot.reader import open_dataset

SETTINGS = ExportSettings()
ENCODING = "rows of video"


def killed_when(act):
    """Run `act` in a process that must die by SIGKILL, without any clean-up."""
    pid = os.fork()
    if not pid:
        try:
            act()
        finally:
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def die(*_args):
    """Kill this process."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("rows", [1, 60, 130, 250, 380])
def test_an_export_killed_while_encoding_resumes_to_the_same_dataset(tmp_path, rows):
    export(three(), tmp_path / "whole", SETTINGS)

    def act():
        export(
            three(),
            tmp_path / "cut",
            SETTINGS,
            lambda what, done, _: what == ENCODING and done >= rows and die(),
        )

    killed_when(act)
    assert (tmp_path / "cut" / STAGING).is_dir()
    result = export(three(), tmp_path / "cut", SETTINGS)
    # Two rows of video a row; 50 rows of the first episode are exported, 90 of the second.
    assert result.staged_before == (0 if rows <= 100 else 1 if rows <= 280 else 2)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.parametrize("name", ["write_parquet", "write_text"])
@pytest.mark.parametrize("call", range(1, 6))
def test_an_export_killed_while_publishing_resumes(tmp_path, monkeypatch, name, call):
    export(three(), tmp_path / "whole", SETTINGS)
    export(three()[:1], tmp_path / "cut", SETTINGS)
    real, calls = getattr(files, name), []

    def write(path, *rest):
        calls.append(path)
        real(path, *rest)
        if len(calls) == call or name == "write_text" and path.name == "info.json":
            die()

    def act():
        monkeypatch.setattr(files, name, write)
        export(three(), tmp_path / "cut", SETTINGS)
        die()

    killed_when(act)
    assert len(open_dataset(tmp_path / "cut")) in (1, 3)
    export(three(), tmp_path / "cut", SETTINGS)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_an_export_ended_by_ctrl_c_resumes(tmp_path):
    def interrupt(what, done, _):
        if what == ENCODING and done >= 130:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(three(), tmp_path / "cut", SETTINGS, interrupt)
    export(three(), tmp_path / "whole", SETTINGS)
    assert export(three(), tmp_path / "cut", SETTINGS).staged_before == 1
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_rows_of_a_killed_export_that_is_not_repeated_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(publish.names, "DATA_FILE_MB", 0.001)  # A file for each episode.
    export(three()[:1], tmp_path / "whole", SETTINGS)
    export(three()[:1], tmp_path / "cut", SETTINGS)

    def act():
        monkeypatch.setattr(publish, "_write_episodes", die)
        export(three(), tmp_path / "cut", SETTINGS)

    killed_when(act)
    assert len(list((tmp_path / "cut/data/chunk-000").iterdir())) == 3
    for folder in ("whole", "cut"):
        export([drawn("other", rows=40)], tmp_path / folder, SETTINGS)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_damaged_picture_leaves_the_others_ready(tmp_path):
    broken = drawn("b", rows=90, seed=1, fail_at=20)
    with pytest.raises(OSError, match="picture 20 is broken"):
        export([three()[0], broken, three()[2]], tmp_path / "set", SETTINGS)
    result = export(three(), tmp_path / "set", SETTINGS)
    assert result.staged_before == 1
    assert len(result.added) == 3


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("fail_at", [0, 20])
def test_an_episode_that_cannot_be_read_is_left_out_and_named(tmp_path, fail_at, workers):
    broken = drawn("b", rows=90, seed=1, fail_at=fail_at, failure=PictureError)
    episodes, settings = three(), ExportSettings(workers=workers)
    result = export([episodes[0], broken, episodes[2]], tmp_path / "set", settings)
    assert why(result) == {"b": f"not readable (picture {fail_at} is broken)"}
    export([episodes[0], episodes[2]], tmp_path / "alone", settings)
    assert contents(tmp_path / "set") == contents(tmp_path / "alone")


def test_a_disk_failure_is_not_attributed_to_an_episode(tmp_path):
    class OnBadDisk(DrawnEpisode):
        def __len__(self):
            raise CacheError("no room for the cache")

    with pytest.raises(CacheError, match="no room"):
        export([OnBadDisk(drawn().facts)], tmp_path / "rows", SETTINGS)
    failing = drawn("b", fail_at=20, failure=CacheError)
    for workers in (1, 2):
        with pytest.raises(CacheError, match="picture 20 is broken"):
            export([drawn("a"), failing], tmp_path / "set", ExportSettings(workers=workers))


def test_an_episode_whose_rows_cannot_be_read_is_left_out_and_named(tmp_path):
    class Unreadable(DrawnEpisode):
        def __len__(self):
            raise BagError("row 3 is of another robot")

    episodes = three()
    episodes[1] = Unreadable(episodes[1].facts)
    result = export(episodes, tmp_path / "set", SETTINGS)
    assert why(result) == {"b": "not readable (row 3 is of another robot)"}
    assert [one.id for one in result.added] == ["a", "c"]


def test_processes_and_threads_give_the_same_dataset(tmp_path):
    export(three(), tmp_path / "threads", ExportSettings(workers=1))
    seen = []
    export(
        three(), tmp_path / "processes", ExportSettings(workers=2), lambda *done: seen.append(done)
    )
    assert contents(tmp_path / "processes") == contents(tmp_path / "threads")
    assert seen[0] == ("reading episodes", 0, 3)
    assert seen[-1][0] == ENCODING and seen[-1][2] == 2 * (50 + 90 + 50)


def test_a_failure_in_a_process_is_attributed_to_its_episode(tmp_path):
    broken = drawn("b", rows=90, seed=1, fail_at=20)
    with pytest.raises(OSError, match="picture 20 is broken"):
        export([broken, three()[0]], tmp_path / "set", ExportSettings(workers=2))
