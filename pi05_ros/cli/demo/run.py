"""One run of the demo: the graph as supervised processes, and a monitor that watches it."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from pi05_ros.bringup.graph import NodeSpec, fast_dds_environment, graph
from pi05_ros.bringup.lifecycle_config import LifecycleConfig
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.supervisor import Supervisor
from pi05_ros.cli.common.live_line import LiveLine
from pi05_ros.cli.common.progress import progress
from pi05_ros.cli.demo.live import describe
from pi05_ros.cli.demo.logs import NodeLogs
from pi05_ros.cli.demo.rearming import fault_sentence
from pi05_ros.cli.demo.summary import Asked, summarize, write_summary
from pi05_ros.cli.demo.watch import Watch
from pi05_ros.control.modes import Mode
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.report.frame import Caption
from pi05_ros.evaluation.report.video import FRAMES_PER_SECOND, Film, Frame
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.nodes.demo_monitor.demo_monitor import MonitorThread
from pi05_ros.platforms.platform import Platform
from pi05_ros.recording.disk import in_bytes

# Wall time in which all nodes must be active: seconds, or minutes where a model is compiled.
_COME_UP_S = LifecycleConfig.configure_limit_s + 60.0
_SLACK_S = 5.0  # Simulated time that the planner may go on for [s].
_BAG_S = 60.0  # Wall time in which the recorder must begin when all nodes are active.
_CLOSE_S = 60.0  # Patience with the recorder, which reads a bag again before it answers [s].
_TAIL = 12  # Lines of a node's log that are shown when it failed.


def _for_demo(spec: NodeSpec) -> NodeSpec:
    """A process of the graph as the demo wants it."""
    parameters = dict(spec.parameters)
    if "planner" in spec.nodes:
        # The monitor gives it the task when all nodes are active, and hears how it ends.
        parameters["task"] = ""
    # Nothing is started again: a node that dies is a failure of the demo.
    return replace(spec, parameters=parameters, on_exit="shutdown")


class Run:
    """Runs the graph until the task is over, then writes the results.

    Args:
        platform: The robot.
        options: Of the graph.
        asked: For the summary.
        out: Folder for the results.
        record: Where what happens is collected.
    """

    def __init__(
        self,
        platform: Platform,
        options: BringupOptions,
        asked: Asked,
        out: Path,
        record: RunRecord,
    ) -> None:
        self._platform, self._options, self._asked = platform, options, asked
        self._out, self._record = out, record
        self._interrupted = False
        self._reporting = False  # Whether the report is being written.
        self._live = LiveLine(sys.stdout)
        self._page = ""  # Address of the operator's page that was told last.
        self._filmed = float("-inf")  # Stamp of the last frame [s].

    def interrupt(self) -> None:
        """Ends the run early; the results are still written. For signal handlers.

        Raises:
            KeyboardInterrupt: The report is being written, the last of them: it is given up.
        """
        if self._reporting:
            self._reporting = False
            raise KeyboardInterrupt
        self._interrupted = True

    def main(self) -> int:
        """Runs.

        Returns:
            Exit status, see pi05_ros.cli.demo.command.
        """
        # The monitor is part of the graph: it wants room for pictures as the nodes do.
        os.environ.update(fast_dds_environment(os.environ))
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        specs = process_specs(map(_for_demo, graph(self._platform, self._options)))
        cell = (self._platform.cameras[0].height, self._platform.cameras[0].width)
        failure, ended = "", "failed"
        with NodeLogs(self._out / "logs", [spec.name for spec in specs]) as logs:
            supervisor = Supervisor(specs, on_line=logs.line, on_event=logs.event)
            film = Film(self._out, self._platform.camera_names, cell)
            self._live.say(
                f"{self._asked.platform} in home {self._asked.home}: {self._asked.task} "
                f"(to listen: export ROS_DOMAIN_ID={os.environ['ROS_DOMAIN_ID']})"
            )
            supervisor.start()
            monitor = MonitorThread(self._record, self._platform, self._options.absolute_namespace)
            try:
                self._come_up(supervisor, monitor)
                ended = self._watch(supervisor, monitor, film)
            except Pi05Error as error:
                failure = str(error)
            finally:
                self._record.end()
                bag_problem = self._close_bag(supervisor, monitor)
                failure = failure or bag_problem
                if self._interrupted:
                    ended, failure = "interrupted", ""
                film.finish()
                self._live.say("stopping the graph")
                supervisor.stop()
                monitor.close()
            failure = failure or self._missing_chunks(ended)
            ended = "failed" if failure else ended
            self._write(film, ended, failure)
            self._write_report()
            if failure:
                logs.show_tail(supervisor, sys.stderr, _TAIL)
                print(f"pi05 demo: {failure}", file=sys.stderr)
                return 1
        self._live.say(self._closing_words(ended))
        return 130 if ended == "interrupted" else 0

    def _come_up(self, supervisor: Supervisor, monitor: MonitorThread) -> None:
        """Waits until all nodes are active, then gives the task and waits until it is taken."""
        deadline, given = time.monotonic() + _COME_UP_S, False
        active_since: float | None = None
        notice = ""  # What it waits for; empty: for the nodes, as the lifecycle manager says.
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
            lacks_bag = self._options.record and not given and not bag.recording
            if active and monitor.node.is_ready and not lacks_bag and not given:
                # We watch the time: the planner's limit only ends what we have forgotten.
                monitor.node.begin(self._asked.task, self._asked.seconds + _SLACK_S)
                given = True
            notice = self._waits_for(given, lacks_bag) if active else ""
            if time.monotonic() > deadline:
                waited = notice or self._record.graph_message or "nothing was heard from the nodes"
                raise Pi05Error(f"the graph did not come up within {_COME_UP_S:.0f} s: {waited}")
            if lacks_bag and active_since and time.monotonic() > active_since + _BAG_S:
                why = bag.message or "the recorder says nothing, see logs/recorder.log"
                raise Pi05Error(f"nothing is recorded: {why} (without a bag: --no-record)")

    def _waits_for(self, given: bool, lacks_bag: bool) -> str:
        """What the task waits for when all nodes are active.

        Args:
            given: Whether the task was sent.
            lacks_bag: Whether nothing is recorded yet, but shall be.
        """
        record = self._record
        if given:
            return "the task is sent, waiting for the planner's answer"
        if lacks_bag:
            said = f" ({record.bag.message})" if record.bag.message else ""
            return f"all nodes are active, waiting for the recorder to begin{said}"
        if not record.hears_time:
            home = record.simulation_waits_for
            why = f" (the simulation waits for {home})" if home else ""
            return f"all nodes are active, waiting for simulated time on /clock{why}"
        return "all nodes are active, waiting for the planner's action execute_task"

    def _watch(self, supervisor: Supervisor, monitor: MonitorThread, film: Film) -> str:
        """Follows the run to its end; returns why it ended."""
        watch = Watch(self._record, self._asked.seconds, monitor.node, self._live.say)
        said = False
        while not self._interrupted:
            self._poll(supervisor, monitor, watch.notice)
            self._shoot(monitor, film)
            if self._record.brain and not said:
                self._live.say(f"brain: {self._record.brain}")
                said = True
            if ended := watch.step():
                return ended
        return "interrupted"

    def _close_bag(self, supervisor: Supervisor, monitor: MonitorThread) -> str:
        """Ends the recorded episode with its outcome; returns what failed, or nothing.

        When the graph has gone down by itself, the recorder has closed it without one.
        """
        if not self._options.record or supervisor.stopping or not self._record.bag.path:
            return ""
        bag = self._record.bag
        if not bag.recording:  # Whoever steers may have graded it.
            return "" if bag.outcome else f"recording ended early: {bag.message}"
        self._live.say("closing the bag")
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
            self._live.say(f"the operator's page: {self._page}")
        self._live.show(describe(self._record, notice))

    def _shoot(self, monitor: MonitorThread, film: Film) -> None:
        """Hands a frame to the film, ten times a simulated second."""
        pictures = monitor.node.pictures_since(self._filmed + 0.9 / FRAMES_PER_SECOND)
        if pictures is None:
            return
        self._filmed, images = pictures
        record = self._record
        score = record.score
        caption = Caption(
            task=self._asked.task,
            subtask=record.current_subtask,
            score=f"{score.points:g}/{score.max_points:g} points" if score.max_points else "",
            time=f"{record.sim_s:.1f} s",
        )
        film.add(Frame(record.sim_s, images, caption))

    def _missing_chunks(self, ended: str) -> str:
        """Whether the run was none: what the failure is then."""
        if ended == "interrupted" or (self._record.chunks and self._record.commands.sent):
            return ""
        if not self._record.chunks:
            return "no chunk was made: see logs/brain.log"
        return "no chunk reached the controllers: see logs/control_bridge.log"

    def _write(self, film: Film, ended: str, failure: str) -> None:
        """Writes summary.json, then waits for the video."""
        summary = summarize(self._asked, self._record, ended, failure)
        write_summary(self._out / "summary.json", summary)
        total = max(1, film.waiting)
        while not film.wait(0.2):
            self._live.show(f"encoding the video: {100 * (total - film.waiting) // total} %")

    def _write_report(self) -> None:
        """Writes report.html of a run that was recorded."""
        bag, video = self._record.bag.path, self._out / "video.mp4"
        page = self._out / "report.html"
        if not bag:
            return
        from pi05_ros.evaluation.report.writing import write_report

        self._live.say("writing the report")
        problem = ""
        try:
            self._reporting = True
            with progress("reading", 1.0) as bar:
                write_report(
                    Path(bag),
                    page,
                    make_video=False,
                    video=video if video.exists() else None,
                    on_step=bar.say,
                )
        except KeyboardInterrupt:
            problem = "interrupted"
        except Pi05Error as error:  # The run is what it was; the bag says more.
            problem = str(error)
        finally:
            self._reporting = False
        if problem:
            page.unlink(missing_ok=True)
            self._live.say(f"there is no report: {problem}")

    def _closing_words(self, ended: str) -> str:
        record = self._record
        score = record.score
        points = (
            f"{score.points:g} of {score.max_points:g} points" if score.max_points else "no score"
        )
        factor = f", {record.real_time_factor:.2f}x real time" if record.real_time_factor else ""
        names = ("video.mp4", "strip.png", "report.html")
        files = [name for name in names if (self._out / name).exists()]
        if self._record.bag.path:
            bag = Path(self._record.bag.path)
            size = sum(file.stat().st_size for file in bag.rglob("*") if file.is_file())
            files.append(f"{bag} ({in_bytes(size)})")
        return (
            f"{points} in {record.sim_s:.0f} simulated seconds ({ended}{factor}); "
            f"results: {', '.join([str(self._out / 'summary.json'), *files])}"
        )
