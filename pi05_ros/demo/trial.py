"""Trials of an evaluation through the graph of nodes, with the machinery of the demo."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pi05_ros.bringup.domain import own_domain
from pi05_ros.bringup.graph import NodeSpec, fast_dds_environment, graph
from pi05_ros.bringup.node_logs import NodeLogs
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.supervisor import Supervisor
from pi05_ros.demo.run import DemoRun, demo_spec
from pi05_ros.demo.stall import StallWatch
from pi05_ros.demo.summary import DemoRequest
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.evaluation.trials.modes import MODES
from pi05_ros.evaluation.trials.result import (
    Criterion,
    Engine,
    TrialResult,
    hold_spans,
    span,
)
from pi05_ros.evaluation.trials.settings import SETTLE_S, TrialJob
from pi05_ros.evaluation.trials.tasks import criterion_kind
from pi05_ros.nodes.demo_monitor.demo_monitor import MonitorThread
from pi05_ros.nodes.instruct_client.instruct_client import InstructClient
from pi05_ros.platforms.platform import load_platform

_ALIVE_S = 5.0  # A mock home that waits publishes that once a second [wall s].
_LAST_LINES = 12  # Of the log of a failed node in a message.


def graph_engine(logs: Path, on_status: Callable[[str], None] = lambda text: None) -> Engine:
    """Return an engine that runs one graph after the other.

    Args:
        logs: Folder of the nodes' logs; one for each trial is made in it.
        on_status: Called with the state of the present trial in one line.
    """

    def run(jobs: Sequence[TrialJob]) -> Iterator[TrialResult]:
        with own_domain():
            for job in jobs:
                yield GraphTrial(job, logs, on_status).result()

    return run


class GraphTrial(DemoRun):
    """One trial through the graph: the demo without video, bag and arming again.

    Args:
        job: The trial.
        logs: See `graph_engine`.
        on_status: See `graph_engine`.
    """

    def __init__(self, job: TrialJob, logs: Path, on_status: Callable[[str], None]) -> None:
        settings, trial, machine = job.settings, job.trial, job.machine
        self._job, self._mode = job, MODES[trial.mode]
        brain = "expert" if settings.brain == "expert" else "model"
        self._name, self._fault = settings.name_of(trial), ""
        # The low level and what speaks are of one brain, or in a process each.
        speaks_itself = trial.mode == "full" or brain == "expert"
        options = BringupOptions(
            sim=True,
            home=trial.home,
            brain=brain,
            checkpoint=trial.weights.checkpoint,
            device=machine.device,
            dtype=machine.dtype,
            execution=machine.execution,
            seed=trial.random_seed,
            chunk_mode=settings.chunk_mode,
            difficulty=settings.difficulty,
            task=trial.text,
            separate=not speaks_itself,
        )
        platform = load_platform(settings.platform)
        request = DemoRequest(
            platform=platform.name,
            home=trial.home,
            task=trial.text,
            brain=brain,
            checkpoint=trial.weights.checkpoint,
            seed=trial.seed,
            seconds=trial.task.seconds,
        )
        super().__init__(
            platform,
            options,
            request,
            logs / self._name,
            RunRecord(),
            on_status,
            lambda text: None,
        )

    def result(self) -> TrialResult:
        """Run the graph to the end of the trial.

        Raises:
            Pi05Error: The graph did not come up, a node died, or simulated time stood still.
        """
        os.environ.update(fast_dds_environment(os.environ))
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        specs = process_specs(map(self._spec, graph(self._platform, self._options)))
        self._out.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        with NodeLogs(self._out, [spec.name for spec in specs]) as logs:
            supervisor = Supervisor(specs, on_line=logs.line, on_event=logs.event)
            supervisor.start()
            monitor = MonitorThread(self._record, self._platform, self._options.absolute_namespace)
            try:
                self._come_up(supervisor, monitor)
                if self._mode.speaks_task:
                    self._speak()
                ended = self._follow(supervisor, monitor)
            except Pi05Error as error:
                tail = logs.tail(supervisor, _LAST_LINES)
                raise Pi05Error(
                    f"{self._name}: {error}; logs are in {self._out}"
                    + (f"\n{tail}" if tail else "")
                ) from error
            finally:
                self._record.end()
                supervisor.stop()
                monitor.close()
        return self._made(ended, time.monotonic() - begun)

    def _spec(self, spec: NodeSpec) -> NodeSpec:
        """Adapt a process of the graph to the trial."""
        spec = demo_spec(spec)
        parameters = dict(spec.parameters)
        if spec.name == "mock_home":
            parameters["room"] = self._job.trial.task.room
        if spec.nodes == ("planner",):  # Apart from the policy.
            speaker = "none" if self._mode.speaks_task else "expert"
            parameters |= {"brain": speaker, "checkpoint": ""}
        return replace(spec, parameters=parameters)

    def _speak(self) -> None:
        """Say the task as the subtask."""
        with InstructClient(self._options.absolute_namespace) as client:
            client.send(self._request.task)

    def _follow(self, supervisor: Supervisor, monitor: MonitorThread) -> str:
        """Follow the trial to its end, by the rules of `Episode`; return why it ended."""
        record, stall = self._record, StallWatch(time.monotonic())
        over_since: float | None = None
        was_armed = False
        while True:
            self._poll(supervisor, monitor, "")
            now, robot, wall = record.sim_s, record.robot, time.monotonic()
            alive = wall - record.simulation_reported_s < _ALIVE_S
            step = stall.step(now, wall, record.simulation_waits_for, alive)
            if step.failure:
                raise Pi05Error(step.failure)
            if robot.mode is not None:
                was_armed |= robot.mode.is_armed
                if was_armed and not robot.mode.is_armed:
                    self._fault = f"{robot.mode.name.lower()}: {robot.reason}"
                    return "fault"
            is_full, outcome = record.score.is_full, record.outcome
            if over_since is None and (is_full or outcome is not None):
                over_since = now
            if over_since is not None and now - over_since >= SETTLE_S:
                if is_full:
                    return "full score"
                if outcome is not None:
                    return "task done" if outcome.done else f"planner: {outcome.message}"
                over_since = None  # A point was lost again.
            if now >= self._request.seconds:
                return "time"

    def _made(self, ended: str, wall_seconds: float) -> TrialResult:
        """Return the result, from the record."""
        record, job = self._record, self._job
        trial, end_s = job.trial, self._record.sim_s
        holds, late = hold_spans(record.holds(), end_s)
        room = trial.task.draw_room(trial.home)
        failures = {
            fault.text: fault.count
            for fault in record.faults()
            if fault.source in ("planner", "policy")
        }
        return TrialResult(
            name=self._name,
            task=trial.task.name,
            text=trial.text,
            home=trial.home,
            mode=trial.mode,
            checkpoint=trial.weights.checkpoint,
            seed=trial.seed,
            points=float(record.score.points),
            max_points=float(record.score.max_points),
            seconds=round(end_s, 3),
            ended=ended,
            fault=self._fault,
            criteria=tuple(
                Criterion(text, criterion_kind(text, room), points, most)
                for text, (points, most) in record.score.criteria.items()
            ),
            subtasks=tuple(
                span(one.text, one.source, one.start_s, end_s if one.end_s is None else one.end_s)
                for one in record.subtasks()
            ),
            holds=holds,
            holds_after_start=late,
            chunks=record.chunks,
            failures=dict(sorted(failures.items())),
            brain=record.brain,
            software=job.software,
            wall_seconds=round(wall_seconds, 3),
        )
