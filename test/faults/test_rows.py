"""The rows of the table of faults, on real processes: the same code as `pi05 faults`."""

import pytest

pytest.importorskip("rclpy")

from pi05_ros.faults.catalog import ROWS, Trial
from pi05_ros.faults.clock_shim import RowSkipped
from pi05_ros.faults.table import RowResult


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, id=f"row_{row.number:02}", marks=pytest.mark.timeout(60 + 4 * row.seconds)
        )
        for row in ROWS
    ],
)
def test_row(row):
    try:
        checks = row.run(Trial(say=print))
    except RowSkipped as reason:
        pytest.skip(str(reason))
    result = RowResult(row, tuple(checks.found), "", "", 0.0)
    assert result.passed, "\n" + "\n".join(result.lines())
