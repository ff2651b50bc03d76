"""The layout of the doctor's page."""

from pi05_ros.bootstrap.doctor.page import page
from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus

RESULTS = [
    CheckResult("Machine", "Python", "3.11.7"),
    CheckResult("Machine", "memory", "2.0 GB", CheckStatus.NOTE, "buy some"),
    CheckResult("ROS 2", "source", "none", CheckStatus.MISSING, "./pi05 setup"),
]


def test_columns_are_aligned_and_fixes_stand_below_their_results():
    assert page(RESULTS, colour=False).splitlines() == [
        "Machine",
        "  ok       Python  3.11.7",
        "  note     memory  2.0 GB",
        "                   > buy some",
        "",
        "ROS 2",
        "  MISSING  source  none",
        "                   > ./pi05 setup",
        "",
        "Missing: source.",
    ]


def test_a_complete_machine_is_reported_as_such():
    assert page(RESULTS[:2], colour=False).endswith("Nothing that the suite needs is missing.")


def test_colours_change_no_text():
    import re

    coloured = page(RESULTS, colour=True)
    assert "\033[31;1m" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == page(RESULTS, colour=False)
