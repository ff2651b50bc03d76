"""The disk space that a recording keeps free."""

import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.recording.disk import DiskSpace, disk_space, folder_problem, in_bytes


@pytest.mark.parametrize(
    ("total", "kept"),
    [(64_000_000, 3_200_000), (40_000_000_000, 2_000_000_000), (10**12, 2_000_000_000)],
)
def test_two_gigabytes_or_five_percent_of_a_small_disk_are_kept_free(total, kept):
    assert DiskSpace(free=total, total=total).kept == kept
    assert DiskSpace(free=kept + 1, total=total).problem == ""
    assert "the disk is full" in DiskSpace(free=kept, total=total).problem


def test_the_problem_names_both_sizes():
    assert DiskSpace(1_500_000, 64_000_000).problem == (
        "the disk is full: 1.5 MB are free, 3.2 MB are kept free"
    )


def test_starting_requires_more_space_than_going_on():
    space = DiskSpace(free=4_000_000, total=64_000_000)
    assert space.problem == ""
    assert space.problem_at_start == (
        "the disk is full: 4 MB are free, 4.8 MB are needed to start"
    )
    assert DiskSpace(free=5_000_000, total=64_000_000).problem_at_start == ""


def test_the_disk_of_a_missing_folder_is_that_of_its_parent(tmp_path):
    assert disk_space(tmp_path / "a" / "b").total == disk_space(tmp_path).total > 0


def test_a_failed_query_of_the_disk_is_an_error(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.statvfs", fail)
    with pytest.raises(Pi05Error, match="cannot be read"):
        disk_space(tmp_path)


def test_a_folder_may_be_made_below_a_writable_one_and_nothing_is_made(tmp_path):
    assert folder_problem(tmp_path / "a" / "b") == ""
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert folder_problem(tmp_path / "file" / "b") == f"'{tmp_path / 'file'}' is no folder"


def test_a_folder_that_is_not_writable_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert folder_problem(tmp_path / "a") == f"'{tmp_path}' is not writable"


def test_sizes_have_units():
    assert [in_bytes(x) for x in (0, 999, 1500, 2.5e9, 3e12)] == [
        "0 B", "999 B", "1.5 kB", "2.5 GB", "3 TB",
    ]  # fmt: skip
