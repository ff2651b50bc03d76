"""A writing process is killed by SIGKILL: its losses, and the recovery of the rest."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import bag_writing_process
from fakes.bag_writing_process import PERIODS_S
from fakes.bags import SECOND

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.recovery import needs_recovery, recover
from pi05_ros.data.bags.verification import verify

ROOT = Path(__file__).parents[3]
AT_ONCE = 5  # processes, since each takes a second to start


def killed(folders, seed):
    """Start a writer for each folder and kill each at a random moment.

    Returns:
        What each had handed over by then: [topic, log time [ns]].
    """
    command = [sys.executable, bag_writing_process.__file__]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    writers = [
        subprocess.Popen([*command, folder], stdout=subprocess.PIPE, env=environment, cwd=ROOT)
        for folder in folders
    ]
    try:
        first = [writer.stdout.readline() for writer in writers]  # All of them are writing.
        draw = random.Random(seed)
        began = time.monotonic()
        for writer, moment in zip(
            writers, sorted(draw.uniform(0.0, 2.6) for _ in writers), strict=True
        ):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            writer.send_signal(signal.SIGKILL)
        outputs = [
            (line + writer.stdout.read()) for line, writer in zip(first, writers, strict=True)
        ]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
            writer.stdout.close()
    lines = [[line.split() for line in text.decode().splitlines()] for text in outputs]
    return [[(topic, int(log_ns)) for topic, log_ns in text] for text in lines]


@pytest.mark.parametrize("seed", range(4))
def test_no_topic_loses_more_than_a_second(tmp_path, seed):
    folders = [tmp_path / f"bag{number}" for number in range(AT_ONCE)]
    for folder, handed in zip(folders, killed(folders, seed), strict=True):
        assert needs_recovery(folder)
        report = recover(folder)
        for file in folder.glob("*.mcap"):
            verify(file, deep=True)
        assert {path.suffix for path in folder.iterdir()} <= {".mcap", ".torn", ".yaml"}
        assert report.facts.recovered
        assert report.facts.task == "be killed"
        kept = []
        if report.messages:  # none, where it was killed before its first half second was over
            with BagReader(folder) as reader:
                kept = [(m.topic, m.log_ns) for m in reader.messages()]
                assert reader.facts == report.facts
        assert set(kept) <= set(handed)
        # On the writer's own clock, up to the last message that it was given: scheduling delays
        # of a loaded machine are not tested.
        end = handed[-1][1]
        lost = [message for message in handed if message not in set(kept)]
        assert all(log_ns > end - SECOND for _, log_ns in lost), lost[:5]
        for topic, period in PERIODS_S.items():
            assert sum(name == topic for name, _ in lost) <= 1.0 / period + 1
