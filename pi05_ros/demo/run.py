"""One run of the demo: the graph as supervised processes, and a monitor node that watches it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pi05_ros.bringup.graph import NodeSpec, fast_dds_environment, graph
from pi05_ros.bringup.lifecycle_config import LifecycleConfig
from pi05_ros.bringup.node_logs import NodeLogs
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.supervisor import Supervisor
from pi05_ros.cameras.rotation import upright_size
from pi05_ros.control.modes import Mode
from pi05_ros.demo.rearming import fault_sentence
from pi05_ros.demo.status import closing_text, status_text
from pi05_ros.demo.summary import DemoRequest, summarize, write_summary
from pi05_ros.demo.watch import RunWatch
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.report.frame import Caption
from pi05_ros.evaluation.report.video import FRAMES_PER_SECOND, Frame, VideoWriter
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.nodes.demo_monitor.demo_monitor import MonitorThread
from pi05_ros.platforms.platform import Platform

# Wall time in which all nodes must be active: seconds, or minutes where a model is compiled.
_COME_UP_S = LifecycleConfig.configure_limit_s + 60.0
_SLACK_S = 5.0  # Simulated time that the planner may go on for after the demo's limit [s].
_BAG_S = 60.0  # Wall time in which the recorder must begin when all nodes are active.
_CLOSE_S = 60.0  # Wall time for the recorder, which reads a bag again before it answers [s].
_TAIL = 12  # Lines of the log of a failed node in the result.


@dataclass(frozen=True)
class DemoResult:
    """Outcome of a run.

    Attributes:
        ended: Why the run ended, as in summary.json.
        failure: What failed, as one sentence; empty: nothing.
        closing: Score, length and the files that were written, in one line.
        log_tail: The last lines of the process that took the graph down; empty: none did.
    """

    ended: str
    failure: str
    closing: str
    log_tail: str


def demo_spec(spec: NodeSpec) -> NodeSpec:
    """Adapt a process of the graph to the demo."""
    parameters = dict(spec.parameters)
    if "planner" in spec.nodes:
        # The monitor sends the task when all nodes are active, and receives its result.
        parameters["task"] = ""
    # Nothing is started again: a node that dies is a failure of the demo.
    return replace(spec, parameters=parameters, on_exit="shutdown")


class DemoRun:
    """Runs the graph until the task is over, then writes the results.

    Args:
        platform: The robot.
        options: Options of the graph.
        request: What the demo was started with, for the summary.
        out: Folder for the results.
        record: Where the events of the run are collected.
        on_status: Called several times a second with the state of the run in one line.
        on_event: Called with a line for each event.
    """

    def __init__(
        self,
        platform: Platform,
        options: BringupOptions,
        request: DemoRequest,
        out: Path,
        record: RunRecord,
        on_status: Callable[[str], None],
        on_event: Callable[[str], None],
    ) -> None:
        self._platform, self._options, self._request = platform, options, request
        self._out, self._record = out, record
        self._on_status, self._on_event = on_status, on_event
        self._interrupted = False
        self._reporting = False  # Whether the report is being written.
        self._page = ""  # The last address of the operator's page that was published.
        self._last_frame_s = float("-inf")  # Stamp of the last video frame [s].

    def interrupt(self) -> None:
        """End the run early; the results are still written. For signal handlers.

        Raises:
            KeyboardInterrupt: The report, the last of the results, is being written.
        """
        if self._reporting:
            self._reporting = False
            raise KeyboardInterrupt
        self._interrupted = True

    def run(self) -> DemoResult:
        """Run the demo to its end and write all results."""
        # The monitor receives pictures, too: it needs the same shared memory as the nodes.
        os.environ.update(fast_dds_environment(os.environ))
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        specs = process_specs(map(demo_spec, graph(self._platform, self._options)))
        first = self._platform.cameras[0]
        width, height = upright_size(first.width, first.height, first.rotate)
        cell = (height, width)
        failure, ended = "", "failed"
        with NodeLogs(self._out / "logs", [spec.name for spec in specs]) as logs:
            supervisor = Supervisor(specs, on_line=logs.line, on_event=logs.event)
            video = VideoWriter(self._out, self._platform.camera_names, cell)
            self._on_event(
                f"{self._request.platform} in home {self._request.home}: {self._request.task} "
                f"(to listen: export ROS_DOMAIN_ID={os.environ['ROS_DOMAIN_ID']})"
            )
            supervisor.start()
            monitor = MonitorThread(self._record, self._platform, self._options.absolute_namespace)
            try:
                self._come_up(supervisor, monitor)
                ended = self._watch(supervisor, monitor, video)
            except Pi05Error as error:
                failure = str(error)
            finally:
                self._record.end()
                bag_problem = self._close_bag(supervisor, monitor)
                failure = failure or bag_problem
                if self._interrupted:
                    ended, failure = "interrupted", ""
                video.finish()
                self._on_event("stopping the graph")
                supervisor.stop()
                monitor.close()
            failure = failure or self._missing_chunks(ended)
            ended = "failed" if failure else ended
            self._write(video, ended, failure)
            self._write_report()
            closing = closing_text(self._record, self._out, ended)
            return DemoResult(ended, failure, closing, logs.tail(supervisor, _TAIL))

    def _come_up(self, supervisor: Supervisor, monitor: MonitorThread) -> None:
        """Wait until all nodes are active, then send the task and wait until it is accepted."""
        deadline, sent = time.monotonic() + _COME_UP_S, False
        active_since: float | None = None
        notice = ""  # What the run waits for; empty: for the nodes, see lifecycle_manager.
        while not self._record.began and not self._interrupted:
            self._poll(supervisor, monitor, notice)
            if self._record.outcome:
                raise Pi05Error(self._record.outcome.message)
            if self._record.graph_state == "failed":
                raise Pi05Error(f"the graph did not come up: {self._record.graph_message}")
            robot = self._record.robot
            if robot.mode is Mode.FAULTED:
                raise Pi05Error(fault_sentence(robot.reason))
            active = self._record.graph_state == "active"
            if active and active_since is None:
                active_since = time.monotonic()
            bag = self._record.bag
            lacks_bag = self._options.record and not sent and not bag.recording
            if active and monitor.node.is_ready and not lacks_bag and not sent:
                # The demo ends the task; the planner's limit is for a demo that was killed.
                monitor.node.begin(self._request.task, self._request.seconds + _SLACK_S)
                sent = True
            notice = self._waits_for(sent, lacks_bag) if active else ""
            if time.monotonic() > deadline:
                waited = notice or self._record.graph_message or "no node has answered"
                raise Pi05Error(f"the graph did not come up within {_COME_UP_S:.0f} s: {waited}")
            if lacks_bag and active_since and time.monotonic() > active_since + _BAG_S:
                why = bag.message or "the recorder gives no reason, see logs/recorder.log"
                raise Pi05Error(f"nothing is recorded: {why} (without a bag: --no-record)")

    def _waits_for(self, sent: bool, lacks_bag: bool) -> str:
        """Describe what the task waits for when all nodes are active.

        Args:
            sent: Whether the task was sent.
            lacks_bag: Whether recording was asked for and has not begun.
        """
        record = self._record
        if sent:
            return "the task is sent, waiting for the planner's answer"
        if lacks_bag:
            reason = f" ({record.bag.message})" if record.bag.message else ""
            return f"all nodes are active, waiting for the recorder to begin{reason}"
        if not record.has_clock:
            home = record.simulation_waits_for
            why = f" (the simulation waits for {home})" if home else ""
            return f"all nodes are active, waiting for simulated time on /clock{why}"
        return "all nodes are active, waiting for the planner's action execute_task"

    def _watch(self, supervisor: Supervisor, monitor: MonitorThread, video: VideoWriter) -> str:
        """Follow the run to its end and return why it ended."""
        watch = RunWatch(self._record, self._request.seconds, monitor.node, self._on_event)
        brain_logged = False
        while not self._interrupted:
            self._poll(supervisor, monitor, watch.notice)
            self._add_frame(monitor, video)
            if self._record.brain and not brain_logged:
                self._on_event(f"brain: {self._record.brain}")
                brain_logged = True
            if ended := watch.step():
                return ended
        return "interrupted"

    def _close_bag(self, supervisor: Supervisor, monitor: MonitorThread) -> str:
        """End the recorded episode with its outcome; return what failed, or an empty string.

        When the graph has gone down by itself, the recorder has closed the bag without an outcome.
        """
        if not self._options.record or supervisor.stopping or not self._record.bag.path:
            return ""
        bag = self._record.bag
        if not bag.recording:  # An operator may have ended and graded it.
            return "" if bag.outcome else f"recording ended early: {bag.message}"
        self._on_event("closing the bag")
        outcome = "success" if self._record.score.is_full else "failure"
        reply, deadline = monitor.node.end_episode(outcome), time.monotonic() + _CLOSE_S
        while not reply.done() or self._record.bag.recording:
            supervisor.poll(0.05)
            if supervisor.stopping or time.monotonic() > deadline:
                return "the bag was not closed: see logs/recorder.log"
        return "" if reply.result().code == 0 else f"the bag: {reply.result().message}"

    def _poll(self, supervisor: Supervisor, monitor: MonitorThread, notice: str) -> None:
        supervisor.poll(0.05)
        if supervisor.failure:
            raise Pi05Error(supervisor.failure)
        if monitor.failure:
            raise Pi05Error(f"the demo's own node failed:\n{monitor.failure}")
        if self._record.page not in ("", self._page):
            self._page = self._record.page
            self._on_event(f"the operator's page: {self._page}")
        self._on_status(status_text(self._record, notice))

    def _add_frame(self, monitor: MonitorThread, video: VideoWriter) -> None:
        """Add a frame to the video, ten times a simulated second."""
        pictures = monitor.node.pictures_since(self._last_frame_s + 0.9 / FRAMES_PER_SECOND)
        if pictures is None:
            return
        self._last_frame_s, images = pictures
        record = self._record
        score = record.score
        caption = Caption(
            task=self._request.task,
            subtask=record.current_subtask,
            score=f"{score.points:g}/{score.max_points:g} points" if score.max_points else "",
            time=f"{record.sim_s:.1f} s",
        )
        video.add(Frame(record.sim_s, images, caption))

    def _missing_chunks(self, ended: str) -> str:
        """Return a failure where no chunk moved the robot; empty: one did."""
        if ended == "interrupted" or (self._record.chunks and self._record.commands.sent):
            return ""
        if not self._record.chunks:
            return "no chunk was made: see logs/brain.log"
        return "no chunk reached the controllers: see logs/control_bridge.log"

    def _write(self, video: VideoWriter, ended: str, failure: str) -> None:
        """Write summary.json, then wait for the video."""
        summary = summarize(self._request, self._record, ended, failure)
        write_summary(self._out / "summary.json", summary)
        total = max(1, video.waiting)
        while not video.wait(0.2):
            self._on_status(f"encoding the video: {100 * (total - video.waiting) // total} %")

    def _write_report(self) -> None:
        """Write report.html of a run that was recorded."""
        bag, video = self._record.bag.path, self._out / "video.mp4"
        page = self._out / "report.html"
        if not bag:
            return
        # Imported here: matplotlib takes a second, and not every run has a report.
        from pi05_ros.evaluation.report.writing import write_report

        self._on_event("writing the report")
        problem = ""
        try:
            self._reporting = True
            write_report(
                Path(bag),
                page,
                make_video=False,
                video=video if video.exists() else None,
                on_step=lambda step: self._on_status(f"writing the report: {step}"),
            )
        except KeyboardInterrupt:
            problem = "interrupted"
        except Pi05Error as error:  # A report that cannot be written does not fail the run.
            problem = str(error)
        finally:
            self._reporting = False
        if problem:
            page.unlink(missing_ok=True)
            self._on_event(f"there is no report: {problem}")
