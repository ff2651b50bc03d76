"""Row 35 (a): strangers, foreign pages, large bodies, paths, markup and a flood at the console."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from pi05_msgs.msg import RobotState
from pi05_msgs.srv import Instruct
from pi05_ros.console.hub import HubSettings
from system.browser import Browser, free_port
from system.catalog import Trial
from system.checks import Checks, percentile
from system.processes import resident_bytes
from system.scene import Scene

_TOKEN = "a-token-for-row-35"
_RIGHT = {"Authorization": f"Bearer {_TOKEN}"}
_WRONG = {"Authorization": "Bearer a-guess-at-the-token"}
_MARKUP = "<img src=x onerror=alert(1)>"
_ENTITY = "pick up the &lt cup"  # As markup it would be "< cup".
_BODY = 10_000_000
_PATHS = ("/../setup.py", "/%2e%2e/%2e%2e/etc/passwd", "/..%5c..%5cetc", "//etc/passwd")
_FLOOD_S = 15.0  # At most [s].
_RATE = HubSettings.http_rate  # Of one address; more is refused.
_GROWTH = 40_000_000  # Bytes of memory.


def run(trial: Trial) -> Checks:
    """Attack while the robot drives: nothing may command, or prevent the operator's stop."""
    checks = Checks()
    port = free_port()
    console = {"port": port, "token": _TOKEN}
    with Scene(("control_bridge", "console"), parameters={"console": console}) as scene:
        instructed: list[str] = []
        _listen(scene, instructed)
        scene.move()
        epoch = scene.state.epoch
        url = f"http://127.0.0.1:{port}"
        checks.equal("listens on", _addresses(port), ["127.0.0.1"])
        before = resident_bytes(scene.processes["console"].pid)
        for what, status, found in asyncio.run(_strangers(url)):
            checks.equal(what, found, [status])
        trial.report("the flood")
        with Browser(url, _RIGHT) as operator:
            _flood(checks, scene, operator, url, trial)
            checks.equal(
                "commands of strangers", (scene.state.epoch - epoch, len(instructed)), (0, 0)
            )
            _instruct(checks, operator, instructed)
            pressed = time.monotonic_ns()
            checks.equal("the operator's stop", operator.stop(), 200)
            time.sleep(0.3)
            standing = scene.robot.witness.standing_since(pressed, time.monotonic_ns())
            value = None if standing is None else (standing - pressed) * 1e-6
            checks.at_most("stop to base 0", value, 100.0, "ms")
        growth = resident_bytes(scene.processes["console"].pid) - before
        checks.at_most("growth of memory", growth * 1e-6, _GROWTH * 1e-6, "MB")
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


def _listen(scene: Scene, instructed: list[str]) -> None:
    """Offer the planner's service `instruct` and keep its texts."""

    def answer(request: Any, response: Any) -> Any:
        instructed.append(request.text)
        response.message = request.text
        return response

    scene.node.create_service(Instruct, "instruct", answer)


def _addresses(port: int) -> list[str]:
    """Return the IPv4 addresses on which a port is listening."""
    found = re.findall(
        rf"^\s*\d+: ([0-9A-F]{{8}}):{port:04X} \S+ 0A", Path("/proc/net/tcp").read_text(), re.M
    )
    return [".".join(str(byte) for byte in reversed(bytes.fromhex(a))) for a in found]


async def _strangers(url: str) -> list[tuple[str, int, list[int]]]:
    """Return (name, wanted status, found statuses) of each attempt."""
    found: list[tuple[str, int, list[int]]] = []

    async def ask(what: str, wanted: int, *requests: tuple[str, str], **more: Any) -> None:
        statuses = set()
        for method, path in requests:
            async with aiohttp.ClientSession(raise_for_status=False) as session:
                statuses.add(await _status(session, method, url + path, **more))
        found.append((what, wanted, sorted(statuses)))

    everything = (("GET", "/"), ("GET", "/ws"), ("GET", "/app.js"), ("POST", "/api/stop"))
    await ask("without a token", 401, *everything)
    await ask("a wrong token", 401, *everything, headers=_WRONG)
    foreign = {"Origin": "http://evil.example", **_RIGHT}
    await ask("a foreign Origin", 403, *everything, headers=foreign)
    await ask("a foreign Host", 403, *everything, headers={"Host": "evil.example", **_RIGHT})
    posts = (("POST", "/api/stop"), ("POST", "/login"))
    await ask("a body of 10 MB", 413, *posts, headers=_RIGHT, data=bytes(_BODY))
    away = [("GET", path) for path in _PATHS]
    await ask("a path that leads away", 404, *away, headers=_RIGHT)
    return found


async def _status(session: aiohttp.ClientSession, method: str, url: str, **more: Any) -> int:
    from yarl import URL

    target = URL(url, encoded=True)  # Encoded already: the client must not normalise the path.
    try:
        async with session.request(method, target, **more) as answer:
            await answer.read()
            return answer.status
    except aiohttp.ClientConnectionError:
        return 413  # Closed during the upload, which is how a large body is refused.


def _flood(checks: Checks, scene: Scene, operator: Browser, url: str, trial: Trial) -> None:
    """Flood the console while the robot drives and the operator watches."""
    command = [sys.executable, "-m", "system.flood", f"{url}/icon.svg", _TOKEN]
    command += [str(trial.count(10_000)), str(_FLOOD_S)]
    delays = []
    began = time.monotonic_ns()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=scene.environment
    ) as process:
        try:
            while process.poll() is None:
                at = time.monotonic()
                operator.next_state()
                delays.append(time.monotonic() - at)
            output = process.communicate()[0]
        finally:
            process.kill()
    until = time.monotonic_ns()
    statuses = Counter(
        {int(status): times for status, times in json.loads(output or "{}").items()}
    )
    seconds = (until - began) * 1e-9
    total = sum(statuses.values())
    trial.report(f"{total / seconds:.0f} requests a second: {dict(statuses)}")
    checks.at_least("requests of the flood", total, 500)
    checks.equal("answers", sorted(statuses), [200, 429])
    checks.at_most("let through", statuses[200], _RATE.burst + _RATE.per_second * seconds)
    checks.at_most("the operator's states, p99", percentile(delays, 0.99), 1.0, "s")
    modes = [state.mode for at, state in scene.states if began < at < until]
    # The flood also takes a core from the fake policy; a hold that it causes ends by itself.
    running = 100 * modes.count(RobotState.MODE_RUNNING) / max(1, len(modes))
    checks.at_least("the robot runs meanwhile", running, 80.0, "%")
    gap = scene.robot.witness.longest_gap(began, until)
    checks.at_most("longest gap between commands", gap * 1e-6, 100.0, "ms")


def _instruct(checks: Checks, operator: Browser, instructed: list[str]) -> None:
    """Check that markup in a subtask is refused, and an entity arrives as plain text."""
    operator.next_state()
    operator.take()
    operator.next_state()
    found = operator.command("instruct", arguments={"text": _MARKUP})
    checks.equal("markup in a subtask is refused", (found, instructed), (400, []))
    found = operator.command("instruct", arguments={"text": _ENTITY})
    checks.equal("an entity in a subtask is text", (found, instructed), (200, [_ENTITY]))
