"""Present and earlier chunks over time."""

import numpy as np

from pi05_ros.inspection.chunk_paths import ChunkPath, ChunkPaths
from pi05_ros.inspection.facts import ChunkFacts

SECOND = 1_000_000_000


def path(sequence, start_s, rows=50):
    """A chunk of rows 20 ms apart."""
    start_ns = round(start_s * SECOND)
    facts = ChunkFacts(start_ns, start_ns, sequence, 1, np.zeros((rows, 2)), 0, 0.1)
    nowhere = np.zeros((1, rows, 3))
    return ChunkPath(facts, start_ns + rows * 20_000_000, nowhere, nowhere[:, :, None], nowhere[0])


def shown(paths, now_s):
    """Sequence of the present chunk, and (age, sequence) of the earlier ones."""
    now_ns = round(now_s * SECOND)
    present = paths.present(now_ns)
    earlier = [(round(age, 3), p.facts.sequence) for age, p in paths.earlier(now_ns)]
    return present and present.facts.sequence, earlier


def test_a_chunk_that_is_replaced_is_remembered_from_then_on():
    paths = ChunkPaths(2.0)
    assert shown(paths, 10.0) == (None, [])
    paths.add(path(1, 10.0), 10 * SECOND)
    assert shown(paths, 10.4) == (1, [])
    paths.add(path(2, 10.3), round(10.4 * SECOND))
    assert shown(paths, 10.4) == (2, [(0.0, 1)])
    paths.add(path(3, 10.7), round(10.8 * SECOND))
    assert shown(paths, 11.0) == (3, [(0.2, 2), (0.6, 1)])
    assert shown(paths, 12.5) == (None, [(0.8, 3), (1.7, 2)])  # The third ended at 11.7.
    assert shown(paths, 13.7) == (None, [])


def test_a_chunk_that_ran_out_before_the_next_one_came_counts_from_its_end():
    paths = ChunkPaths(2.0)
    paths.add(path(1, 10.0), 10 * SECOND)
    assert shown(paths, 10.999) == (1, [])
    assert shown(paths, 11.5) == (None, [(0.5, 1)])
    paths.add(path(2, 11.5), round(11.5 * SECOND))
    assert shown(paths, 11.7) == (2, [(0.7, 1)])


def test_a_repeated_chunk_replaces_nothing():
    paths = ChunkPaths(2.0)
    paths.add(path(1, 10.0), 10 * SECOND)
    paths.add(path(1, 10.0), round(10.1 * SECOND))
    assert shown(paths, 10.2) == (1, [])
    paths.add(path(1, 10.2), round(10.3 * SECOND))  # A policy that was started anew.
    assert shown(paths, 10.3) == (1, [(0.0, 1)])


def test_however_fast_chunks_come_few_are_remembered():
    paths = ChunkPaths(2.0)
    for k in range(40):
        paths.add(path(k, 10 + 0.02 * k), round((10 + 0.02 * k) * SECOND))
    present, earlier = shown(paths, 10.78)
    assert present == 39 and [sequence for _, sequence in earlier] == [38, 37, 36, 35, 34]
    assert [sequence for _, sequence in shown(paths, 12.0)[1]] == [39, 38, 37, 36, 35]
