"""Node `recorder`: one bag for each episode, from start_episode to stop_episode.

Services, while it is active:
    start_episode (pi05_msgs/StartEpisode), stop_episode (pi05_msgs/StopEpisode)

Publishes:
    episode (pi05_msgs/Episode, transient local): once a second, and each change of state at once.
    recording (pi05_msgs/Recording, transient local): topic by topic, once a second, and
        when the bag is closed.

Subscribes, while an episode is open, to every topic of the platform and of the suite's namespace
(`pi05_ros.recording.topics`), as serialized messages. It sends no heartbeat: the robot continues
without it.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from typing import Any

from std_msgs.msg import String

from pi05_msgs.msg import Episode, Subtask
from pi05_msgs.srv import StartEpisode, StopEpisode
from pi05_ros.brain.instructions import clean
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.health import Health
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.recorder.health import idle_health, recording_health
from pi05_ros.nodes.recorder.inputs import RecorderInputs, publishers
from pi05_ros.nodes.recorder.messages import episode_message
from pi05_ros.nodes.recorder.parameters import RecorderParameters
from pi05_ros.nodes.recorder.report import RecordingReport
from pi05_ros.nodes.recorder.services import RecorderServices
from pi05_ros.platforms.platform import load_platform
from pi05_ros.recording.disk import folder_problem
from pi05_ros.recording.episodes import (
    Episodes,
    EpisodeStatus,
    RecorderState,
    Reply,
    StartCode,
    StopCode,
)
from pi05_ros.recording.leftovers import recover_leftovers
from pi05_ros.recording.provenance import checkpoint_facts, software_version
from pi05_ros.recording.subscriptions import types_of
from pi05_ros.recording.topics import TopicChoice, rules_for

_UPDATE_S = 0.1  # Period of the check for changes of state [s].
_ENDED = "recorder stopped"


class Recorder(ManagedNode[RecorderParameters]):
    """Records episodes; the logic is in `pi05_ros.recording`."""

    VITAL = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__("recorder", RecorderParameters, **arguments)
        self._episodes: Episodes | None = None
        self._inputs: RecorderInputs | None = None
        self._episode_services: RecorderServices | None = None
        self._open: list[Any] = []
        self._notice = ""  # Result of recovery, or why no episode was started.
        self._stop_recovering = threading.Event()

    def configure(self) -> None:
        """Check the parameters, start recovery of unclosed bags, and create the outputs."""
        parameters = self.parameters
        self._platform = load_platform(parameters.platform)
        self._simulated = bool(self.get_parameter("use_sim_time").value)
        try:
            self._rules = rules_for(
                self._platform,
                self.get_namespace(),
                simulated=self._simulated,
                images=parameters.images,  # type: ignore[arg-type]  # Checked by its choices.
                include=parameters.include,
                exclude=parameters.exclude,
            )
        except ValueError as error:
            where = f"parameters of {self.get_fully_qualified_name()}"
            raise ConfigError(where, str(error)) from error
        if problem := folder_problem(parameters.folder):
            where = f"parameter 'bags' of {self.get_fully_qualified_name()}"
            raise ConfigError(where, f"{parameters.folder} cannot hold bags: {problem}")
        self._facts = self._common_facts()
        self._episodes = Episodes(parameters.folder, parameters.session(), now_ns=self.now_ns)
        self._episode_out = self.create_publisher(Episode, "episode", qos.LATCHED)
        self._report = RecordingReport(self)
        self._stop_recovering.clear()
        # In a thread: a bag of many gigabytes takes a while.
        threading.Thread(target=self._recover, name="recovery", daemon=True).start()

    def activate(self) -> None:
        """Open the services."""
        self._task = ""  # Current task of the planner.
        self._auto_start_pending = self.parameters.record  # Start when all nodes are active.
        self._graph_active = False
        self._published: tuple[RecorderState, str] | None = None
        self._episode_services = RecorderServices(self, self._on_start, self._on_stop)
        self._open = [
            self.create_subscription(
                Subtask, "subtask", self.guarded(self._on_subtask), qos.LATCHED
            ),
            self.create_subscription(
                String,
                "lifecycle_manager/state",
                self.guarded(self._on_graph_state),
                qos.LATCHED,
            ),
        ]
        self._update_timers = [
            self.steady_timer(_UPDATE_S, self._update),
            self.steady_timer(1.0, self._publish_reports),
        ]

    def deactivate(self) -> None:
        """Close and verify the bag of an open episode, and close the services."""
        if self._episode_services is not None:
            self._episode_services.close()
            self._episode_services = None
            for timer in self._update_timers:
                self.destroy_timer(timer)
        for subscription in self._open:
            self.destroy_subscription(subscription)
        self._open = []
        self._close_inputs()
        if self._episodes is not None:
            reply = self._episodes.end(_ENDED)
            if reply.code != StopCode.NOT_RECORDING:
                self._log_reply("end", reply)
            self._report.settle()
            self._publish_episode()

    def cleanup(self) -> None:
        """Destroy the outputs."""
        self._stop_recovering.set()
        if self._episodes is not None:
            self._episodes = None
            self.destroy_publisher(self._episode_out)
            self._report.close()

    def health(self) -> Health:
        """Rates, losses and drops of each topic."""
        assert self._episodes is not None
        status = self._episodes.status()
        if status.state is not RecorderState.RECORDING:
            return idle_health(
                status, str(self._episodes.folder), self._episodes.space_problem(), self._notice
            )
        return recording_health(
            status, self._report.topics, self._problems(), self._report.more_drops()
        )

    # Services, in their thread.

    def _on_start(self, request: StartEpisode.Request) -> Reply:
        return self._start(request.task, request.operator_name, request.home, request.notes)

    def _start(self, task: str, operator_name: str, home: str, notes: str) -> Reply:
        assert self._episodes is not None
        if self._simulated and self.now_ns() == 0:
            return Reply(
                StartCode.STORAGE_ERROR, "no time on /clock yet: messages could not be stamped"
            )
        # Chosen now: after a crash only the head of the file holds these facts.
        choice = TopicChoice(self._rules)
        choice.choose(types_of(publishers(self, choice)))
        facts = replace(
            self._facts,
            cameras=dict(choice.cameras),
            task=clean(task) or self._task,
            operator_name=operator_name or self.parameters.operator_name,
            home=home or self.parameters.home,
            notes=notes,
        )
        reply = self._episodes.start(facts)
        session = self._episodes.session
        if reply.code == StartCode.NONE and session is not None:
            self._close_inputs()  # Inputs of an episode that ended on an error.
            self._inputs = RecorderInputs(self, choice, session, self._simulated)
            self._report.follow(session, self._inputs)
        self._log_reply("start_episode", reply)
        return reply

    def _on_stop(self, request: StopEpisode.Request) -> Reply:
        assert self._episodes is not None
        if request.outcome in (
            StopEpisode.Request.OUTCOME_SUCCESS,
            StopEpisode.Request.OUTCOME_FAILURE,
            StopEpisode.Request.OUTCOME_DISCARD,
        ):
            self._close_inputs()
        reply = self._episodes.stop(request.outcome, request.notes)
        self._report.settle()
        self._log_reply("stop_episode", reply)
        return reply

    # In the executor's thread.

    def _on_subtask(self, message: Subtask) -> None:
        self._task = clean(message.task)
        session = self._episodes.session if self._episodes else None
        if session is not None and self._task and not session.facts.task:
            session.change(lambda facts: replace(facts, task=facts.task or self._task))

    def _on_graph_state(self, message: String) -> None:
        self._graph_active = message.data == "active"

    def _auto_start(self) -> None:
        reply = self._start(self.parameters.task, "", "", "")
        if reply.code != StartCode.NONE:
            self._notice = f"episode not started: {reply.message}"

    def _update(self) -> None:
        """Start the automatic episode when due, and publish a change of state at once."""
        assert self._episodes is not None and self._episode_services is not None
        # The graph may be active before simulated time arrives here.
        timeless = self._simulated and self.now_ns() == 0
        if self._auto_start_pending and self._graph_active and not timeless:
            self._auto_start_pending = False
            self._episode_services.do(self._auto_start)
        self._report.settle()
        status = self._episodes.status()
        current = (status.state, self._notice)
        if current == self._published:
            return
        self._published = current
        if status.state is RecorderState.ERROR:
            self.get_logger().error(f"recording stopped on an error: {status.message}")
            if self._inputs is not None and self._inputs.session.trouble:
                self._close_inputs()
        self._publish_episode(status)
        self._publish_health()

    def _publish_reports(self) -> None:
        self._publish_episode()
        self._report.publish()

    def _publish_episode(self, status: EpisodeStatus | None = None) -> None:
        assert self._episodes is not None
        status = status or self._episodes.status()
        notice = "; ".join(filter(None, (self._problems(), self._notice)))
        self._episode_out.publish(episode_message(status, self.get_clock().now().to_msg(), notice))

    def _problems(self) -> str:
        """Return the problems of recording; empty if there are none."""
        inputs = self._inputs
        if inputs is None or inputs.is_discovering:
            return ""
        return "; ".join(f"{topic}: {why}" for topic, why in sorted(inputs.problems.items()))

    def _log_reply(self, what: str, reply: Reply) -> None:
        if reply.code:
            self.get_logger().warning(f"{what}: {reply.message}")
        else:
            self.get_logger().info(f"{what}: {reply.message}")

    def _close_inputs(self) -> None:
        inputs, self._inputs = self._inputs, None
        if inputs is not None:
            inputs.close()

    def _common_facts(self) -> EpisodeFacts:
        """Return the facts shared by all episodes."""
        platform, parameters = self._platform, self.parameters
        checkpoint, digest = checkpoint_facts(parameters.brain, parameters.checkpoint)
        return EpisodeFacts(
            id="none yet",
            platform=platform.name,
            names=platform.names,
            units=tuple(d.unit for d in platform.dimensions),
            rate_hz=1.0 / platform.period,
            rotations={camera.name: camera.rotate for camera in platform.cameras if camera.rotate},
            namespace=self.get_namespace(),
            brain=parameters.brain,
            checkpoint=checkpoint,
            checkpoint_hash=digest,
            software_version=software_version(),
            simulated=self._simulated,
        )

    def _recover(self) -> None:
        """Repair bags that a crash left unclosed; runs in its own thread."""
        assert self._episodes is not None
        try:
            for repaired, text in recover_leftovers(
                self._episodes.folder, self._stop_recovering.is_set
            ):
                self._notice = "; ".join(filter(None, (self._notice, text)))
                log = self.get_logger()
                log.warning(text) if repaired else log.error(text)
        except (Pi05Error, OSError) as error:
            self.get_logger().error(f"recovery: {error}")


def main() -> int:
    """Run the node until SIGINT or SIGTERM."""
    return run_node(Recorder)


if __name__ == "__main__":
    sys.exit(main())
