"""`pi05 demo` end to end: real nodes, real topics, a short run."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import av
import cv2
import pytest
import rosbags.rosbag2
from fakes.console_pages import Page

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.platforms.platform import load_platform

NODES = (
    *("mock_home", "camera_ingestion", "brain", "control_bridge"),
    *("recorder", "inspector", "lifecycle_manager"),
)
SECONDS = 30  # Simulated; on a machine that others keep busy the first point takes about 16.


@pytest.fixture
def start(tmp_path):
    """Starts a demo that writes into tmp_path; none outlives its test."""
    with ExitStack() as stack:

        def start(*arguments):
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "pi05_ros.cli", "demo", "--brain", "expert"),
                    *("--out", str(tmp_path), *arguments),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={k: v for k, v in os.environ.items() if k != "ROS_DOMAIN_ID"},
            )
            stack.callback(end, process)
            return process

        yield start


def end(process):
    """Signal the group like Ctrl-C, since the demo's own children must end too."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()


def children(pid):
    """Process ids of a process's children, by the node that they run."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue  # It has ended meanwhile.
        if parent == pid and "pi05_ros.nodes" in words:
            found[words[words.index("pi05_ros.nodes") + 1]] = int(folder.name)
    return found


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_the_expert_works_in_a_mock_home_and_all_is_written_down(tmp_path, start):
    process = start("--seconds", str(SECONDS), "--home", "0")
    out, err = process.communicate(timeout=400)
    assert (process.returncode, err) == (0, ""), out
    summary = json.loads((tmp_path / "summary.json").read_text())
    asked = {k: summary[k] for k in ("platform", "home", "task", "brain", "checkpoint", "seed")}
    assert asked == {
        "platform": "mobile_18dof",
        "home": 0,
        "task": "put the dishes in the sink",
        "brain": "expert",
        "checkpoint": "",
        "seed": 0,
    }
    assert (summary["ended"], summary["failure"]) == ("time", "")
    assert summary["simulated_seconds"] == pytest.approx(SECONDS, abs=1)
    assert summary["max_points"] == 8
    assert 1 <= summary["points"] <= 8
    assert sum(c["points"] for c in summary["criteria"]) == summary["points"]
    # The stream runs at 50 Hz of simulated time; counts are told once a second.
    assert 50 * 0.8 * SECONDS < summary["ticks_sent"] <= 50 * (SECONDS + 2)
    assert summary["ticks_missed"] < 0.1 * summary["ticks_sent"]
    assert summary["real_time_factor"] > 0.1
    assert summary["chunks"] > 10
    first, *_, last = summary["subtasks"]
    assert first["text"].startswith("pick up the ")
    assert first["source"] == "external"
    assert last["end_s"] == summary["simulated_seconds"]
    for before, after in zip(summary["subtasks"], summary["subtasks"][1:], strict=False):
        assert before["start_s"] < before["end_s"] <= after["start_s"]
    # A machine that stalls may bring two commands within one tick of the controllers, or one late.
    faults = [f for f in summary["faults"] if f["source"] == "mock_home"]
    stalls = ("set_point_jump", "reach_limit", "rejected")
    assert {f["text"] for f in faults} <= {f"commands: {name}" for name in stalls}
    assert sum(f["count"] for f in faults) < 0.02 * summary["ticks_sent"]

    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) > 80
    assert float(frames[-1].time) == pytest.approx(SECONDS, abs=1.5)
    assert frames[50].to_ndarray(format="rgb24")[100:].std() > 10  # Something is to be seen.
    assert cv2.imread(str(tmp_path / "strip.png")) is not None
    assert "data:video/mp4;base64," in (tmp_path / "report.html").read_text()
    assert sorted(p.stem for p in (tmp_path / "logs").iterdir()) == sorted(NODES)
    assert "all 4 nodes are active" in (tmp_path / "logs" / "lifecycle_manager.log").read_text()
    assert f"{summary['points']:g} of 8 points" in out
    check_bag(tmp_path, summary)


def check_bag(out, summary):
    """The run is one episode with every topic at its rate, and nothing of it lost."""
    (folder,) = (out / "bags").iterdir()
    assert summary["bag"]["path"] == str(folder)
    assert (summary["bag"]["outcome"], summary["bag"]["problem"]) == ("failure", "")
    with rosbags.rosbag2.Reader(folder) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
    assert sum(counts.values()) == summary["bag"]["messages"]
    platform = load_platform("mobile_18dof")
    # Simulated time may run slower than the wall; a tick of it brings one of each of these.
    ticks = 50 * summary["simulated_seconds"]
    ticking = ["/clock", "/joint_states", "/odom", "/pi05/robot_state", "/tf"]
    ticking += [g.controller.command_name for g in platform.groups if g.kind != "parallel_gripper"]
    for topic in ticking:
        assert counts[topic] > 0.9 * ticks, topic
    for camera in platform.cameras:  # Ten a second, fewer where rendering is late.
        assert counts[camera.topic] > 2 * summary["simulated_seconds"], camera.name
    for topic in ("camera_set", "action_chunk", "subtask", "task_score", "episode", "recording"):
        assert counts[f"/pi05/{topic}"] > 10, topic
    for topic in ("/tf_static", "/pi05/heartbeat", "/diagnostics"):
        assert counts[topic], topic
    with BagReader(folder) as bag:
        facts = bag.facts
        several = {name for name, topic in bag.topics.items() if len(topic.qos) > 1}
        numbers = defaultdict(list)
        for message in bag.messages():
            numbers[message.topic].append(message.sequence)
    assert (facts.task, facts.home, facts.brain) == (summary["task"], "0", "expert")
    assert facts.simulated and facts.ended == ""
    assert facts.cameras == {c.name: c.topic for c in platform.cameras}
    for topic in numbers.keys() - several:
        found = sorted(numbers[topic])
        lost = found[-1] - found[0] + 1 - len(set(found))
        assert lost <= 0.005 * len(found), (topic, lost)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_operator_speaks_and_cancels_from_the_page_beside_it(tmp_path, start):
    process = start("--seconds", "300", "--console")
    url, began = "", False
    for line in process.stdout:
        url = url or line.partition("the operator's page: ")[2].strip()
        began = began or "points" in line
        if url and began:
            break
    assert url.startswith("http://127.0.0.1:")

    async def steer():
        async with Page.open(url.rstrip("/")) as page:
            assert (await page.take())["status"] == 200
            # Of what the page shows, until it shows it: it may be a moment behind.
            for name, arguments in (("instruct", {"text": "wave"}), ("cancel_task", {})):
                while (await page.command(name, **arguments))["status"] != 200:
                    await asyncio.sleep(0.2)
                if name == "instruct":
                    await page.until(lambda: page.sections["subtask"]["text"] == "wave")
                    await asyncio.sleep(3.0)  # A subtask without a tick is on no row of the bag.

    asyncio.run(asyncio.wait_for(steer(), 120))
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), out
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["ended"] == "planner: task cancelled"
    assert [s["source"] for s in summary["subtasks"] if s["text"] == "wave"] == ["human"]
    assert "wave" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_a_node_that_is_killed_ends_the_demo_with_one_sentence(tmp_path, start):
    process = start("--seconds", "300")
    for line in process.stdout:
        if re.match(r" *[1-9]\d*\.\d s \|", line):  # Far enough to have something to report.
            break
    nodes = children(process.pid)
    assert sorted(nodes) == sorted(NODES)
    os.kill(nodes["brain"], signal.SIGKILL)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 45  # Not the minutes that were left.
    assert process.returncode == 1
    last = err.splitlines()[-1]
    assert last.startswith("pi05 demo: brain ended (killed by SIGKILL) after ")
    assert "Traceback" not in out + err
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["ended"] == "failed"
    assert summary["failure"] in last
    assert (tmp_path / "video.mp4").exists()
    page = (tmp_path / "report.html").read_text()  # The recorder closed its bag by itself.
    assert "recorder stopped" in page and "data:video/mp4;base64," in page
    for pid in nodes.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
