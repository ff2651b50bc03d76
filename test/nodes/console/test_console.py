"""The node console in a graph of its own, with a plain client for a browser."""

import asyncio

import numpy as np
import pytest

pytest.importorskip("rclpy")

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray
from fakes.brain import FakeBrain, FakeSource
from fakes.console_pages import Page
from fakes.graph import Graph, wait_for
from rclpy.action import ActionClient
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image, Joy
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import Heartbeat, RobotState, Subtask, TeleopCommand
from pi05_msgs.srv import Instruct, StartEpisode, StopEpisode
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.console.console import Console
from pi05_ros.nodes.console.parameters import ConsoleParameters
from pi05_ros.nodes.planner.planner import Planner
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
CAMERAS = [camera.topic for camera in PLATFORM.cameras]


@pytest.fixture
def graph():
    with_end = Graph()
    yield with_end
    with_end.close()


def console(graph, **parameters):
    """An active console on a free port."""
    node = graph.add(Console, port=0, **parameters)
    assert graph.call(node.trigger_configure) == TransitionCallbackReturn.SUCCESS
    assert graph.call(node.trigger_activate) == TransitionCallbackReturn.SUCCESS
    return node


def url(node):
    return node.server.url.rstrip("/")


def browse(node, test):
    """Runs `test(page)` with a page open."""

    async def run():
        async with Page.open(url(node)) as page:
            await test(page)

    asyncio.run(asyncio.wait_for(run(), 30))


def listeners(node, topics):
    return [node.count_subscribers(topic) for topic in topics]


def test_it_subscribes_to_cameras_and_robot_only_with_an_open_page(graph):
    node = console(graph)
    other = graph.plain("robot")
    hungry = [*CAMERAS, "robot_state", "action_chunk", "teleop_command", "/diagnostics"]
    assert listeners(other, hungry) == [0] * 8
    timers = len(list(node.timers))

    async def look(page):
        await page.until(lambda: listeners(other, hungry) == [1] * 8)

    browse(node, look)
    wait_for(lambda: listeners(other, hungry) == [0] * 8, "nobody to listen")
    assert not node.is_watching
    assert len(list(node.timers)) == timers


def test_a_page_shows_robot_subtask_and_pictures(graph):
    node = console(graph)
    robot = graph.plain("robot")
    states = robot.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
    subtasks = robot.create_publisher(Subtask, "subtask", qos.LATCHED)
    images = robot.create_publisher(Image, CAMERAS[2], qos.DRIVER_OUTPUT)
    diagnostics = robot.create_publisher(DiagnosticArray, "/diagnostics", qos.STATUS)
    subtasks.publish(Subtask(id=1, text="<i>x</i>", task="t", source="human", score=0.5))
    size = PLATFORM.size

    async def look(page):
        def tick():
            state = RobotState(mode=RobotState.MODE_RUNNING, names=list(PLATFORM.names))
            state.control_source = RobotState.CONTROL_TELEOP
            state.measured, state.commanded = [0.25] * size, [float("nan")] * size
            state.header.stamp = robot.get_clock().now().to_msg()
            states.publish(state)
            image = Image(height=4, width=6, encoding="rgb8", step=18)
            image.data.frombytes(np.full((4, 6, 3), 90, np.uint8).tobytes())
            images.publish(image)
            diagnostics.publish(DiagnosticArray())
            running = (page.sections.get("robot") or {}).get("mode") == "running"
            return running and page.pictures and page.sections.get("subtask")

        while not tick():
            await asyncio.sleep(0.05)
        assert page.sections["robot"]["control"] == "teleop"
        assert page.sections["robot"]["measured"] == [0.25] * size
        assert page.sections["robot"]["commanded"] == [None] * size
        assert page.sections["subtask"]["text"] == "<i>x</i>"
        assert page.sections["timeline"][0]["source"] == "human"
        assert page.pictures[0][0] == 2 and page.pictures[0][16:18] == b"\xff\xd8"
        assert page.sections["static"]["vocabulary"] == list(PLATFORM.vocabulary)

    browse(node, look)


def test_a_page_drives_by_joy_and_shows_whether_anybody_listens(graph):
    node = console(graph)
    robot = graph.plain("robot")
    heard = []
    robot.create_subscription(Joy, "console/joy", heard.append, qos.OPERATOR_INPUT)
    commands = robot.create_publisher(TeleopCommand, "teleop_command", qos.ACTION_CHUNK)
    wait_for(lambda: node.count_subscribers("console/joy"), "the subscription")

    async def drive(page):
        await page.until(lambda: page.sections.get("teleop"))
        assert page.sections["teleop"]["state"] == "absent"
        command = TeleopCommand(state=TeleopCommand.ALIGNING, device="leader", reason="far away")
        command.alignment_error = float("nan")
        while page.sections["teleop"]["state"] == "absent":
            commands.publish(command)
            await asyncio.sleep(0.05)
        assert page.sections["teleop"] == {
            "state": "aligning", "device": "leader", "reason": "far away", "error": None,
        }  # fmt: skip
        await page.take()
        before = robot.get_clock().now().nanoseconds
        await page.drive()
        await page.until(lambda: heard)
        stamp = heard[0].header.stamp
        assert before <= stamp.sec * 10**9 + stamp.nanosec <= robot.get_clock().now().nanoseconds
        assert list(heard[0].axes) == [0.5] + [0.0] * 9 + [-1.0] * 2
        await page.drive(held=0)
        await page.until(lambda: len(heard) == 2)
        assert [list(message.buttons) for message in heard] == [[1, 0], [0, 0]]

    browse(node, drive)


def test_a_silent_bridge_is_said_to_be_silent(graph):
    async def look(page):
        await page.until(lambda: (page.sections.get("robot") or {}).get("mode") == "silent")

    browse(console(graph), look)


class Answering:
    """The services that an operator needs, which note what they are asked."""

    def __init__(self, node):
        self.asked = []
        for kind, name in (
            (SetBool, "control_bridge/arm"),
            (Trigger, "control_bridge/stop"),
            (Trigger, "control_bridge/resume"),
            (Trigger, "control_bridge/reset"),
            (Trigger, "resume_task"),
            (Instruct, "instruct"),
            (StartEpisode, "start_episode"),
            (StopEpisode, "stop_episode"),
        ):
            node.create_service(kind, name, lambda q, a, name=name: self._answer(name, q, a))

    def _answer(self, name, question, answer):
        self.asked.append((name, question))
        refused = getattr(question, "text", "") == "fly"
        if hasattr(answer, "success"):
            answer.success = True
        else:
            answer.code = 111 if refused else 0
        answer.message = "no" if refused else f"{name}: done"
        return answer


def test_every_command_reaches_its_service(graph):
    node = console(graph)
    services = Answering(graph.plain("robot"))

    async def steer(page):
        await page.take()
        for name, arguments in (
            ("arm", {}),
            ("disarm", {}),
            ("resume", {}),
            ("reset", {}),
            ("resume_task", {}),
            ("instruct", {"text": "pick up the plate"}),
            ("hand_back", {}),
            ("start_episode", {"task": "t", "operator_name": "o", "home": "h", "notes": "n"}),
            ("stop_episode", {"outcome": "success", "notes": "n"}),
        ):
            answer = await page.command(name, **arguments)
            while answer["status"] == 503:  # Not discovered yet.
                await asyncio.sleep(0.1)
                answer = await page.command(name, **arguments)
            assert answer["status"] == 200, answer
        refused = await page.command("instruct", text="fly")
        assert (refused["status"], refused["message"]) == (409, "no")
        assert (await page.ask("stop"))["message"] == "control_bridge/stop: done"

    browse(node, steer)
    names = [name for name, _ in services.asked]
    assert names == [
        "control_bridge/arm", "control_bridge/arm", "control_bridge/resume",
        "control_bridge/reset", "resume_task", "instruct", "instruct", "start_episode",
        "stop_episode", "instruct", "control_bridge/stop",
    ]  # fmt: skip
    questions = [question for _, question in services.asked]
    assert [questions[0].data, questions[1].data] == [True, False]
    assert [questions[5].text, questions[6].text] == ["pick up the plate", ""]
    start = questions[7]
    assert (start.task, start.operator_name, start.home, start.notes) == ("t", "o", "h", "n")
    assert (questions[8].outcome, questions[8].notes) == ("success", "n")


def test_without_a_bridge_a_stop_is_not_confirmed(graph):
    async def press(page):
        answer = await page.ask("stop")
        assert answer["status"] == 503 and "control_bridge/stop" in answer["message"]
        seen = page.seen
        await page.until(lambda: page.seen > seen)  # A page must look again after a stop.
        assert (await page.take())["status"] == 200
        assert (await page.command("execute_task", task="x"))["status"] == 503
        assert (await page.command("cancel_task"))["status"] == 503

    browse(console(graph), press)


def test_a_task_of_any_source_can_be_cancelled(graph):
    source = FakeSource(FakeBrain(PLATFORM))
    planner = graph.add(lambda **a: Planner(brain_source=source, **a), task="the bring-up's")
    assert graph.call(planner.trigger_configure) == TransitionCallbackReturn.SUCCESS
    assert graph.call(planner.trigger_activate) == TransitionCallbackReturn.SUCCESS
    client = ActionClient(graph.plain("client"), ExecuteTask, "execute_task")
    assert client.wait_for_server(30.0)

    async def cancel(page):
        answer = await page.command("cancel_task")
        while answer["status"] == 503:  # Not discovered yet.
            await asyncio.sleep(0.1)
            answer = await page.command("cancel_task")
        return answer["status"], answer["message"]

    async def steer(page):
        await page.take()
        assert await cancel(page) == (200, "cancelled: the bring-up's")
        assert await cancel(page) == (409, "no task to cancel")
        sent = client.send_goal_async(ExecuteTask.Goal(task="a client's"))
        await page.until(lambda: sent.done())
        assert await cancel(page) == (200, "the task is being cancelled")
        ended = sent.result().get_result_async()
        await page.until(lambda: ended.done())
        assert ended.result().status == GoalStatus.STATUS_CANCELED
        assert (await page.command("execute_task", task="the page's"))["status"] == 200
        assert await cancel(page) == (200, "the task is being cancelled")
        await page.until(lambda: page.sections["task"]["state"] == "ended")
        assert page.sections["task"]["message"] == "task cancelled"

    browse(console(graph), steer)
    assert planner.health().message == "waiting for a task"


def heard(graph):
    """Heartbeats of the console."""
    beats = []
    graph.plain("bridge").create_subscription(
        Heartbeat, "heartbeat", lambda message: beats.append(message), qos.HEARTBEAT
    )
    return beats


def test_it_sends_no_heartbeat_unless_an_operator_is_required(graph):
    node = console(graph)
    assert not node.VITAL
    assert node.count_publishers("heartbeat") == 0


def test_with_a_dead_man_switch_heartbeats_tell_whether_an_operator_watches(graph):
    beats = heard(graph)
    node = console(graph, require_operator=True)
    wait_for(lambda: beats, "a heartbeat")
    assert (beats[-1].node, beats[-1].fit) == ("console", False)
    assert beats[-1].reason == "no operator holds control"

    async def hold(page):
        await page.take()
        await page.until(lambda: beats[-1].fit)
        page.awake = False
        await page.until(lambda: not beats[-1].fit)
        assert beats[-1].reason == "no response from the operator's page"
        page.awake = True
        await page.until(lambda: beats[-1].fit)

    browse(node, hold)
    wait_for(lambda: not beats[-1].fit, "the heartbeat of a node that nobody holds")
    graph.call(node.trigger_deactivate)
    wait_for(lambda: beats[-1].reason == "it was deactivated", "a goodbye")


@pytest.mark.parametrize(
    "parameters",
    [{"host": "0.0.0.0"}, {"token": "short"}, {"host": "127.0.0.1", "token": "ü" * 20}],
)
def test_it_is_not_opened_carelessly(graph, parameters):
    node = graph.add(Console, port=0, **parameters)
    assert graph.call(node.trigger_configure) == TransitionCallbackReturn.FAILURE


def test_the_token_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PI05_CONSOLE_TOKEN", "from-the-environment")
    assert ConsoleParameters(host="0.0.0.0").gate().token == "from-the-environment"
    assert ConsoleParameters(token="given-as-parameter").gate().token == "given-as-parameter"


def test_a_taken_port_fails_the_activation_and_can_be_tried_again(graph):
    first = console(graph)
    second = graph.add(Console, port=first.server.port)
    graph.call(second.trigger_configure)
    assert graph.call(second.trigger_activate) == TransitionCallbackReturn.FAILURE
    graph.call(first.trigger_deactivate)
    assert graph.call(second.trigger_activate) == TransitionCallbackReturn.SUCCESS
