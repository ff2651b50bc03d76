"""The simulation of a mock home, without ROS."""

import threading

import numpy as np
import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.controllers.manager import ManagerConfig
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory
from pi05_ros.sim.simulation import START_NS, TICK_NS, Simulation

TASK = "put the dishes in the sink"
MS = 1_000_000


@pytest.fixture(scope="module")
def built():
    return Simulation(load_platform("mobile_18dof"), 0, TASK)


@pytest.fixture
def simulation(built):
    built.reset(0)
    return built


def send(simulation, controller, time_ms, *positions):
    arm = simulation.manager.arms[controller]
    point = JointPoint(time_ms * MS, np.array(positions, dtype=np.float64))
    trajectory = JointTrajectory(0, arm.config.joints, (point,))
    with simulation.lock:
        simulation.manager.witnesses[controller].trajectory(trajectory, arm.set_point)
        arm.set_trajectory(trajectory, simulation.now_ns)
    simulation.arrival.set()


def test_time_begins_above_0_and_a_tick_is_20_ms(built):
    assert Simulation(built.platform, 3, TASK).now_ns == START_NS > 0
    before = built.now_ns
    world_before = built.world.time
    for _ in range(5):
        built.tick()
    assert built.now_ns - before == 5 * TICK_NS == 100 * MS
    assert built.world.time - world_before == pytest.approx(0.1)


@pytest.mark.parametrize("rate", [50.0, 100.0, 200.0, 400.0])
def test_the_physics_keeps_time_at_every_rate_of_the_controllers(built, rate):
    simulation = Simulation(built.platform, 0, TASK, ManagerConfig(controller_rate_hz=rate))
    for _ in range(3):
        simulation.tick()
    assert simulation.world.time == pytest.approx(0.06)


def test_it_holds_its_home_pose(simulation):
    before = simulation.world.joint_positions()
    for _ in range(50):
        simulation.tick()
    after = simulation.world.joint_positions()
    for name, position in before.items():
        assert after[name] == pytest.approx(position, abs=2e-3), name
    assert simulation.world.base_pose() == pytest.approx((0.0, 0.0, 0.0), abs=1e-3)


def test_a_trajectory_moves_a_joint_there_in_time(simulation):
    home = simulation.world.joint_positions()["torso_lift"]
    send(simulation, "torso_controller", 1000, home + 0.1)
    for _ in range(25):
        simulation.tick()
    assert simulation.world.joint_positions()["torso_lift"] == pytest.approx(home + 0.05, abs=5e-3)
    for _ in range(30):
        simulation.tick()
    assert simulation.world.joint_positions()["torso_lift"] == pytest.approx(home + 0.1, abs=2e-3)


def test_physics_survives_commands_that_are_nonsense(simulation):
    for position in (np.nan, np.inf, 1e9, -1e9, np.nan):
        send(simulation, "left_arm_controller", 20, *[position] * 6)
        simulation.manager.bases["base_controller"].set_command(0, (1e3, -1e3, 1e3), 0)
        for _ in range(10):
            simulation.tick()
    assert all(np.isfinite(list(simulation.world.joint_positions().values())))
    assert np.isfinite(simulation.world.base_pose()).all()
    assert simulation.manager.not_finite_set_points > 0
    simulation.reset(0)
    for _ in range(10):
        simulation.tick()
    home = {d.joint_name: d.home for g in simulation.platform.groups for d in g.dimensions}
    assert simulation.world.joint_positions()["left_arm_joint_2"] == pytest.approx(
        home["left_arm_joint_2"], abs=2e-3
    )


def test_reset_puts_everything_back_but_the_clock(simulation):
    send(simulation, "torso_controller", 100, 0.4)
    simulation.manager.bases["base_controller"].set_command(
        simulation.now_ns, (0.3, 0.0, 0.0), simulation.now_ns
    )
    for _ in range(10):
        simulation.tick()
    assert simulation.world.base_pose()[0] > 0.01
    before = simulation.now_ns
    simulation.reset(1)
    assert simulation.world.home == 1
    for _ in range(10):
        simulation.tick()
    assert simulation.now_ns == before + 10 * TICK_NS
    assert simulation.world.base_pose() == pytest.approx((0.0, 0.0, 0.0), abs=1e-3)
    assert simulation.world.joint_positions()["torso_lift"] == pytest.approx(0.25, abs=2e-3)


def test_the_score_of_a_fresh_home_is_0_of_8(simulation):
    for _ in range(10):
        simulation.tick()
    assert (simulation.score.points, simulation.score.max_points) == (0.0, 8.0)


def test_an_unknown_task_is_refused(built):
    with pytest.raises(Pi05Error, match="no rubric scores the task 'dance'"):
        Simulation(built.platform, 0, "dance")


def test_a_steady_stream_is_waited_for(simulation):
    for _ in range(4):
        send(simulation, "torso_controller", 20, 0.25)
        simulation.tick()
    late = threading.Timer(0.05, send, (simulation, "torso_controller", 20, 0.25))
    late.start()
    simulation.wait(5.0)  # Without the command it would take the whole 5 s.
    witness = simulation.manager.witnesses["torso_controller"]
    assert not witness.is_awaited
    late.join()
    missed = witness.ticks_missed
    simulation.tick()
    assert witness.ticks_missed == missed


def test_a_stream_that_breaks_off_is_waited_for_once(simulation):
    for _ in range(4):
        send(simulation, "torso_controller", 20, 0.25)
        simulation.tick()
    witness = simulation.manager.witnesses["torso_controller"]
    before = simulation.waited
    simulation.wait(0.03)
    assert simulation.waited - before >= 0.03
    assert witness.is_awaited
    simulation.tick()
    assert not witness.is_awaited
    assert witness.ticks_since_command == 1


def test_time_waits_for_whatever_holds_it_back(simulation):
    reasons = iter(["policy, which is late", "policy, which is late", ""])
    said = []

    def hold_back():
        said.append(next(reasons))
        simulation.arrival.set()
        return said[-1]

    simulation.wait(0.0, hold_back, lambda: pytest.fail("something arrived each time"))
    assert said == ["policy, which is late", "policy, which is late", ""]
    assert simulation.waiting_for == ""


def test_a_wait_can_be_called_off(simulation):
    for _ in range(4):
        send(simulation, "torso_controller", 20, 0.25)
        simulation.tick()
    before = simulation.waited
    simulation.wait(60.0, lambda: "policy", is_cancelled=lambda: True)
    assert simulation.waited - before < 30.0
    assert simulation.waiting_for == ""


def test_who_is_waited_for_is_reminded(simulation):
    reminded = []
    simulation.wait(0.0, lambda: "" if reminded else "policy", lambda: reminded.append(1))
    assert reminded == [1]


@pytest.mark.parametrize("every", [0, 2])
def test_a_slower_stream_or_none_is_not_waited_for(simulation, every):
    witness = simulation.manager.witnesses["torso_controller"]
    for tick in range(12):
        if every and tick % every == 0:
            send(simulation, "torso_controller", 20, 0.25)
        simulation.tick()
        assert not witness.is_awaited
