"""The demo's monitor gives its task only when it would be heard and could be timed."""

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from fakes.graph import wait_for
from rclpy.action import ActionServer
from rosgraph_msgs.msg import Clock

from pi05_msgs.action import ExecuteTask
from pi05_ros.demo.record import RunRecord
from pi05_ros.nodes.demo_monitor import DemoMonitor
from pi05_ros.platforms import load_platform


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


@pytest.mark.parametrize(
    ("said", "standing"),
    [("executing chunks", ""), ("faulted: told to", "robot faulted: told to")],
)
def test_it_says_why_the_robot_stands(graph, said, standing):
    record = RunRecord()
    monitor = graph._keep(
        DemoMonitor(record, load_platform("mobile_18dof"), "pi05", context=graph.context)
    )
    status = DiagnosticStatus(name="/pi05/control_bridge", level=b"\x00", message=said)
    record.standing = "something else"
    monitor._on_diagnostics(DiagnosticArray(status=[status]))
    assert record.standing == standing


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
