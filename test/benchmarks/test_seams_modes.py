"""Steps at seams in each mode, from short runs of the synthetic policy."""

import numpy as np
import pytest
from seams import report, synthetic
from seams.metrics import measure

from pi05_ros.chunking.settings import CHUNK_MODES
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


@pytest.fixture(scope="module")
def rows():
    found = {}
    for mode in CHUNK_MODES:
        for delay in (0.15, 0.4):
            runs = [synthetic.run(PLATFORM, mode, delay, seed, 6.0) for seed in range(2)]
            assert all(not run.rejected for run in runs)
            courses = [measure(PLATFORM, run.ticks) for run in runs]
            found[mode, delay] = report.summarise("synthetic", mode, delay, courses)
    return found


def test_nothing_leaves_the_limits(rows):
    assert {key: row.violations for key, row in rows.items()} == dict.fromkeys(rows, 0)


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
@pytest.mark.parametrize("delay", [0.15, 0.4])
def test_continuing_a_chunk_halves_the_step_of_velocity(rows, mode, delay):
    assert rows[mode, delay].velocity[0] < 0.5 * rows["async", delay].velocity[0]


def test_guidance_alone_halves_it_at_150_ms():
    steps = {}
    for mode in ("async", "rtc"):
        courses = [
            measure(PLATFORM, synthetic.run(PLATFORM, mode, 0.15, seed, 8.0, fade_rows=0).ticks)
            for seed in range(4)
        ]
        steps[mode] = np.median([seam.velocity for c in courses for seam in c.seams])
    assert steps["rtc"] < 0.5 * steps["async"]


def test_only_sync_stands_still(rows):
    for (mode, _), row in rows.items():
        assert (row.stood > 0.2) == (mode == "sync"), mode


def test_the_table_has_a_line_for_each_row(rows):
    text = report.tables(list(rows.values()))
    assert text.count("\n| ") == 1 + len(rows)
    assert "| 150 ms | rtc | 8." in text
