"""Figures that the benchmarks of the running graph derive from messages."""

import os

import numpy as np
import pytest

pytest.importorskip("rclpy")

from camera_throughput import Result
from camera_to_command import STAGES, stages
from live.machine import CpuMeter
from live.plots import shares_above
from live.series import Stream

from pi05_msgs.msg import ActionChunk
from pi05_ros.nodes.common.conversions import ns_to_time

MS = 1_000_000


def test_the_error_of_each_period_is_taken_between_neighbours():
    stream = Stream()
    for sequence, at_ms in [(1, 1000), (2, 1020), (3, 1045), (4, 1060)]:
        stream.add(sequence, at_ms * MS)
    assert stream.errors_ms(20.0) == pytest.approx([0.0, 5.0, 5.0])


def test_a_message_that_was_lost_makes_no_period_and_one_never_sent_makes_a_long_one():
    stream = Stream(((1, 1000 * MS), (2, 1020 * MS), (4, 1060 * MS), (5, 1120 * MS)))
    assert stream.errors_ms(20.0) == pytest.approx([0.0, 40.0])


def test_a_copy_is_not_filled_any_more():
    stream = Stream()
    stream.add(1, 0)
    copy = stream.copy()
    stream.add(2, 1)
    stream.clear()
    assert (len(copy), len(stream), len(stream.errors_ms(20.0))) == (1, 0, 0)


def test_shares_fall_from_all_to_the_greatest_alone():
    values, shares = shares_above(np.array([3.0, 1.0, 2.0, 4.0]))
    assert values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert shares.tolist() == [100.0, 75.0, 50.0, 25.0]


def test_sets_that_did_not_arrive_are_those_whose_numbers_are_missing():
    empty = np.zeros(0)
    result = Result(30.0, 1.0, 5, np.array([7, 8, 10]), empty, empty, empty, 0.0, 0.0)
    assert result.lost == 1


def test_the_stages_of_a_chunk_add_up_to_camera_to_command():
    chunk = ActionChunk()
    for index, name in enumerate(("capture", "ingestion", "arrival", "start", "publication")):
        setattr(chunk.ledger, name, ns_to_time((1000 + 100 * index) * MS))
    chunk.ledger.waited, chunk.ledger.vision = 0.01, 0.02
    chunk.ledger.prefix, chunk.ledger.flow = 0.03, 0.015
    found = dict(zip(STAGES, stages(chunk, 1410 * MS), strict=True))
    assert found == pytest.approx(
        {
            "pictures": 100.0,
            "transport": 100.0,
            "queue": 110.0,
            "vision": 20.0,
            "prefix": 30.0,
            "flow": 15.0,
            "rest": 25.0,
            "first command": 10.0,
        }
    )
    assert sum(found.values()) == pytest.approx(410.0)


def test_the_processor_time_of_a_process_is_measured():
    meter = CpuMeter({"me": os.getpid()})
    while meter.read()[0]["me"] == 0.0:
        sum(range(100_000))
    own, others = meter.read()
    assert own["me"] > 0.0 and others >= 0.0
