"""The rows of the table of faults on real processes, by the same code as `pi05 faults`.

`pi05 faults` repeats some of them more often. Limits are milliseconds, on machines that others may
share, so a row that fails is run once more, and the first failure is printed.
"""

import sys

import pytest

pytest.importorskip("rclpy")

from pi05_ros.errors import Pi05Error
from system.catalog import ROWS, Trial
from system.shims import RowSkipped
from system.table import RowResult

# Checks that depend on the load of the machine: they fail `pi05 faults`, but not these tests.
# A killed node is back when DDS has discovered it: after 1.4 to 2.9 s (limit: 3 s) on an idle
# machine, later on a busy one. Commands are late while a disk is full if other
# work uses the cores. Row 35's gap, as the harness measures it while the flood takes a core, is
# 21 ms when the row runs alone and was up to 0.27 s at the end of all tests in one process.
FALLS_SHORT = {
    32: "command periods over 30 ms",
    33: "back, worst",
    35: "longest gap between commands",
}

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
        print(f"tried again, failed at first:\n{text_of(result)}", file=sys.stderr)
        result = attempt(row)
    assert not failures(result), "\n" + text_of(result)
    if not result.passed:
        pytest.xfail(f"row {row.number} falls short:\n{text_of(result)}")


def failures(result):
    """Return the failed checks, without those that may fall short."""
    known = FALLS_SHORT.get(result.row.number)
    failed = [check.name for check in result.checks if not check.passed]
    failed = [name for name in failed if known is None or not name.endswith(known)]
    return failed or result.problem or ("" if result.checks else "nothing was checked")


def attempt(row):
    """Run a row once."""
    try:
        checks = row.run(Trial(report=print, times=TIMES.get(row.number)))
    except RowSkipped as reason:
        pytest.skip(str(reason))
    except Pi05Error as error:
        return RowResult(row, (), str(error), "", 0.0)
    return RowResult(row, tuple(checks.found), "", "", 0.0)


def text_of(result):
    """Return a result's lines of the table."""
    return "\n".join(result.lines())
