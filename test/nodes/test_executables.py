"""Start and end of the package's executables, as processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pi05_ros.bootstrap.environment import DOMAINS

pytest.importorskip("rclpy")

MANAGER = ("lifecycle_manager", "--ros-args", "-p", "managed_nodes:=[eyes]")


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "pi05_ros.nodes", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def shared_memory(pid):
    """Fast DDS's segments that a process has mapped; ports are shared with other processes.

    Besides its own it maps those of every participant that it hears: it must hear none.
    """
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    names = {line.split("/dev/shm/")[1] for line in lines if "/dev/shm/fastrtps_" in line}
    return {name for name in names if "port" not in name}


def test_a_refusal_is_one_sentence_and_status_2():
    process = start("lifecycle_manager")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err == (
        "error: parameter 'managed_nodes' of lifecycle_manager: "
        "managed nodes: wanted unique names, found []\n"
    )


def test_after_sigint_the_status_is_0_and_no_shared_memory_stays_behind():
    alone = 1 + int(os.environ.get("ROS_DOMAIN_ID", "0")) % DOMAINS
    process = start(*MANAGER, ROS_DOMAIN_ID=str(alone))
    deadline = time.monotonic() + 20
    while not (segments := shared_memory(process.pid)):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert segments & set(os.listdir("/dev/shm")) == set()


def test_ctrl_c_during_imports_is_no_traceback():
    process = start(*MANAGER)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGINT)
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [("brian",), ()])
def test_a_name_of_no_node_is_one_sentence(words):
    process = start(*words)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.startswith("there is no node") and err.count("\n") == 1
    assert "valid: brain, camera_ingestion, console, control_bridge," in err
