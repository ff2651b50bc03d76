"""The demo's monitor sends its task only when the planner and time are available."""

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from fakes.graph import wait_for
from rclpy.action import ActionServer
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool, Trigger

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import RobotState
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.demo_monitor.demo_monitor import DemoMonitor
from pi05_ros.platforms.platform import load_platform


def test_it_waits_for_time_and_for_the_planner(graph):
    record = RunRecord()
    monitor = graph._keep(
        DemoMonitor(record, load_platform("mobile_18dof"), "pi05", context=graph.context)
    )
    assert not monitor.is_ready
    late = graph.plain("late")
    tasks = []

    def execute(goal):
        tasks.append(goal.request.task)
        goal.succeed()
        return ExecuteTask.Result(message="done")

    server = graph.call(
        lambda: ActionServer(late, ExecuteTask, "execute_task", execute_callback=execute)
    )
    wait_for(monitor._action.server_is_ready, "the action server")
    assert not monitor.is_ready  # No /clock yet: the run could not be timed.
    clock = late.create_publisher(Clock, "/clock", 10)
    tick = Clock()
    tick.clock.sec = 7
    wait_for(lambda: clock.publish(tick) or monitor.is_ready, "the monitor to be ready")
    monitor.begin("put the dishes in the sink", 10.0)
    wait_for(lambda: record.outcome and record.outcome.done, "the outcome")
    assert tasks == ["put the dishes in the sink"] and record.began
    assert record.sim_s == 0.0
    graph.call(server.destroy)


def test_it_hears_the_mode_of_the_robot_and_why(graph):
    record = RunRecord()
    graph._keep(DemoMonitor(record, load_platform("mobile_18dof"), "pi05", context=graph.context))
    bridge = graph.plain("bridge")
    states = bridge.create_publisher(RobotState, "robot_state", qos.ROBOT_STATE)
    for mode, reason in (
        (RobotState.MODE_RUNNING, ""),
        (RobotState.MODE_DISARMED, "planner is gone"),
        (RobotState.MODE_RUNNING, ""),
    ):
        message = RobotState(mode=mode, reason=reason)
        wait_for(lambda m=message: states.publish(m) or record.robot.mode == m.mode, reason)
        assert record.robot.reason == reason
        if not record.began:
            record.begin()
    assert [(hold.mode, hold.reason) for hold in record.holds()] == [
        (RobotState.MODE_DISARMED, "planner is gone")
    ]


def test_a_fault_is_reset_before_it_asks_the_bridge_to_arm(graph):
    monitor = graph._keep(
        DemoMonitor(RunRecord(), load_platform("mobile_18dof"), "pi05", context=graph.context)
    )
    bridge = graph.plain("control_bridge")
    asked = []

    def on_reset(request, response):
        asked.append("reset")
        response.success = True
        return response

    def on_arm(request, response):
        asked.append("arm")
        response.success, response.message = True, "holding: armed"
        return response

    bridge.create_service(Trigger, "~/reset", on_reset)
    bridge.create_service(SetBool, "~/arm", on_arm)
    wait_for(monitor._reset.service_is_ready, "the service reset")
    wait_for(monitor._arm.service_is_ready, "the service arm")
    answer = monitor.arm(reset=True)
    wait_for(answer.done, "the answer")
    assert (asked, answer.result().message) == (["reset", "arm"], "holding: armed")


def test_it_asks_the_bridge_to_arm_and_hears_its_answer(graph):
    monitor = graph._keep(
        DemoMonitor(RunRecord(), load_platform("mobile_18dof"), "pi05", context=graph.context)
    )
    lost = monitor.arm()  # Nobody is there to hear it.
    bridge = graph.plain("control_bridge")
    asked = []

    def on_arm(request, response):
        asked.append(request.data)
        response.success, response.message = False, "not armed: not heard: planner"
        return response

    bridge.create_service(SetBool, "~/arm", on_arm)
    wait_for(monitor._arm.service_is_ready, "the service")
    monitor.forget_arm(lost)
    answer = monitor.arm()
    wait_for(answer.done, "the answer")
    assert answer.result().message == "not armed: not heard: planner"
    assert asked == [True]


@pytest.mark.parametrize(
    ("name", "values", "waits"),
    [
        ("graph", {"waiting for": "the bridge's command"}, "the bridge's command"),
        ("graph", {"waiting for": ""}, ""),
        ("graph", {}, ""),
        ("mock_home", {"waiting for": "no one"}, ""),
    ],
)
def test_it_hears_what_the_simulation_waits_for(graph, name, values, waits):
    record = RunRecord()
    record.simulation_waits_for = "something else"
    monitor = graph._keep(
        DemoMonitor(record, load_platform("mobile_18dof"), "pi05", context=graph.context)
    )
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    status = DiagnosticStatus(name=name, values=pairs)
    monitor._on_statistics(DiagnosticArray(status=[status]))
    assert record.simulation_waits_for == waits


def test_it_hears_where_the_operators_page_is(graph):
    record = RunRecord()
    monitor = graph._keep(
        DemoMonitor(record, load_platform("mobile_18dof"), "pi05", context=graph.context)
    )
    url = KeyValue(key="url", value="http://127.0.0.1:4711/")
    for values, page in (([], ""), ([url], url.value)):
        status = DiagnosticStatus(name="/pi05/console", level=b"\x00", values=values)
        monitor._on_diagnostics(DiagnosticArray(status=[status]))
        assert record.page == page
