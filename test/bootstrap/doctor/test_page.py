"""The layout of the doctor's page."""

from pi05_ros.bootstrap.doctor.findings import Finding, Status
from pi05_ros.bootstrap.doctor.page import page

FINDINGS = [
    Finding("Machine", "Python", "3.11.7"),
    Finding("Machine", "memory", "2.0 GB", Status.NOTE, "buy some"),
    Finding("ROS 2", "source", "none", Status.MISSING, "./pi05 setup"),
]


def test_columns_are_aligned_and_remedies_stand_below_what_they_mend():
    assert page(FINDINGS, colour=False).splitlines() == [
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


def test_a_machine_that_lacks_nothing_needed_is_told_so():
    assert page(FINDINGS[:2], colour=False).endswith("Nothing that the suite needs is missing.")


def test_colours_change_no_text():
    import re

    coloured = page(FINDINGS, colour=True)
    assert "\033[31;1m" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == page(FINDINGS, colour=False)
