"""The rows of the table of faults, on real processes: the same code as `pi05 faults`.

`pi05 faults` repeats some of them more often. They are about milliseconds on machines that others
may share, so a row that fails is tried once more, and what failed at first is printed.
"""

import sys

import pytest

pytest.importorskip("rclpy")

from pi05_ros.errors import Pi05Error
from system.catalog import ROWS, Trial
from system.shims import RowSkipped
from system.table import RowResult

# How soon a killed node is back depends on how soon DDS finds it: 1.4 to 2.9 s where the table
# wants 3, and longer on a machine that others keep busy. `pi05 faults` fails for it; here only
# what keeps people safe does.
#
# How late commands come while a disk is full depends on what else the machine does, too.
FALLS_SHORT = {32: "command periods over 30 ms", 33: "back, worst"}

# Repetitions, where `pi05 faults` makes more.
TIMES = {3: 300, 19: 3000, 20: 3000, 21: 3000, 26: 100, 33: 2}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, id=f"row_{row.number:02}", marks=pytest.mark.timeout(60 + 8 * row.seconds)
        )
        for row in ROWS
    ],
)
def test_row(row):
    result = attempt(row)
    if failures(result):
        print(f"tried again, failed at first:\n{said(result)}", file=sys.stderr)
        result = attempt(row)
    assert not failures(result), "\n" + said(result)
    if not result.passed:
        pytest.xfail(f"row {row.number} falls short:\n{said(result)}")


def failures(result):
    """What must not fail: all but what is known to fall short."""
    known = FALLS_SHORT.get(result.row.number)
    failed = [check.name for check in result.checks if not check.passed]
    failed = [name for name in failed if known is None or not name.endswith(known)]
    return failed or result.problem or ("" if result.checks else "nothing was checked")


def attempt(row):
    """One trial of a row."""
    try:
        checks = row.run(Trial(say=print, times=TIMES.get(row.number)))
    except RowSkipped as reason:
        pytest.skip(str(reason))
    except Pi05Error as error:
        return RowResult(row, (), str(error), "", 0.0)
    return RowResult(row, tuple(checks.found), "", "", 0.0)


def said(result):
    """Its lines of the table."""
    return "\n".join(result.lines())
