"""The order of bring-up and recovery, against simulated nodes and a fake clock."""

import random

import pytest

from pi05_ros.bringup.lifecycle import LifecycleSequence, NodeState, Phase, Transition
from pi05_ros.bringup.lifecycle_config import LifecycleConfig

NAMES = ("camera", "planner", "policy", "bridge")
GOALS = {
    Transition.CONFIGURE: NodeState.INACTIVE,
    Transition.ACTIVATE: NodeState.ACTIVE,
    Transition.DEACTIVATE: NodeState.INACTIVE,
}


class Robot:
    """Managed nodes, the manager's logic, and the clock between them."""

    def __init__(self, names=NAMES, **states):
        self.now = 0.0
        self.sequence = LifecycleSequence(names, LifecycleConfig(), self.now)
        self.states = {name: states.get(name, NodeState.UNCONFIGURED) for name in names}
        self.refuses = set()  # (node, transition)
        self.slow_s = {}  # (node, transition) -> how long it takes
        self.calls, self.log = [], []
        self._under_way = None
        self._next_question = 0.0

    def run(self, seconds, until=None):
        end = self.now + seconds
        while self.now < end:
            self.step()
            if until is not None and until():
                return
        assert until is None, (self.states, self.calls, self.log)

    def step(self):
        if self.now >= self._next_question:
            self._next_question = self.now + 0.5
            for name, state in self.states.items():
                if state is NodeState.SILENT:
                    self.sequence.silent(name, self.now)
                else:
                    self.sequence.observe(name, state, self.now, self.now)
        if self._under_way and self.now >= self._under_way[1]:
            call, _ = self._under_way
            self._under_way = None
            if self.states[call.node] is NodeState.CHANGING:
                success = (call.node, call.transition) not in self.refuses
                start = (
                    NodeState.UNCONFIGURED
                    if call.transition is Transition.CONFIGURE
                    else NodeState.INACTIVE
                )
                self.states[call.node] = GOALS[call.transition] if success else start
                self.sequence.finished(call, success, self.now)
        call = self.sequence.next_call(self.now)
        if call is not None:
            assert self.states[call.node] is not NodeState.CHANGING
            self.calls.append((call.node, call.transition.value))
            self.states[call.node] = NodeState.CHANGING
            took = self.slow_s.get((call.node, call.transition), 0.1)
            self._under_way = (call, self.now + took)
        self.log += [(event.level, event.text) for event in self.sequence.drain_events()]
        others = [s for n, s in self.states.items() if n != "bridge"]
        self.bridge_alone = self.states["bridge"] is NodeState.ACTIVE and any(
            state is not NodeState.ACTIVE for state in others
        )
        self.now += 0.05

    def up(self):
        self.run(30, until=lambda: self.sequence.phase is Phase.ACTIVE)
        self.calls.clear()
        self.log.clear()
        return self


def test_all_are_configured_then_activated_in_order_the_bridge_last():
    robot = Robot()
    robot.run(30, until=lambda: robot.sequence.phase is Phase.ACTIVE)
    assert robot.calls == [(name, "configure") for name in NAMES] + [
        (name, "activate") for name in NAMES
    ]
    assert robot.log[-1] == ("info", "all 4 nodes are active")
    robot.calls.clear()
    robot.run(60)
    assert robot.calls == []


def test_a_node_that_comes_late_holds_up_only_those_behind_it():
    robot = Robot(planner=NodeState.SILENT)
    robot.run(10)
    assert robot.calls == [
        ("camera", "configure"), ("policy", "configure"), ("bridge", "configure"),
        ("camera", "activate"),
    ]  # fmt: skip
    assert robot.sequence.phase is Phase.STARTING
    assert robot.sequence.describe(robot.now) == (
        "waiting: planner (no answer for 10 s), policy (inactive for 10 s), "
        "bridge (inactive for 10 s)"
    )
    robot.states["planner"] = NodeState.UNCONFIGURED
    robot.run(10, until=lambda: robot.sequence.phase is Phase.ACTIVE)
    assert robot.calls[4:] == [
        ("planner", "configure"), ("planner", "activate"), ("policy", "activate"),
        ("bridge", "activate"),
    ]  # fmt: skip


def test_when_a_node_dies_the_bridge_goes_first_and_comes_back_last():
    robot = Robot().up()
    robot.states["policy"] = NodeState.SILENT
    robot.run(5)
    assert robot.calls == [("bridge", "deactivate")]
    assert robot.sequence.phase is Phase.RECOVERING
    assert ("warn", "policy was active and does not answer any more") in robot.log
    robot.states["policy"] = NodeState.UNCONFIGURED
    robot.run(10, until=lambda: robot.sequence.phase is Phase.ACTIVE)
    assert robot.calls[1:] == [
        ("policy", "configure"), ("policy", "activate"), ("bridge", "activate"),
    ]  # fmt: skip


def test_a_node_that_was_replaced_between_two_questions_is_noticed():
    robot = Robot().up()
    robot.states["camera"] = NodeState.UNCONFIGURED
    robot.run(10, until=lambda: len(robot.calls) == 4)
    assert robot.calls == [
        ("bridge", "deactivate"), ("camera", "configure"), ("camera", "activate"),
        ("bridge", "activate"),
    ]  # fmt: skip
    assert ("warn", "camera was active and is now unconfigured") in robot.log


def test_a_dead_bridge_alone_is_brought_back():
    robot = Robot().up()
    robot.states["bridge"] = NodeState.SILENT
    robot.run(3)
    assert robot.calls == []
    robot.states["bridge"] = NodeState.UNCONFIGURED
    robot.run(10, until=lambda: robot.sequence.phase is Phase.ACTIVE)
    assert robot.calls == [("bridge", "configure"), ("bridge", "activate")]


def test_a_manager_that_was_restarted_finds_the_graph_active_and_changes_nothing():
    robot = Robot(**dict.fromkeys(NAMES, NodeState.ACTIVE))
    robot.run(10)
    assert robot.calls == []
    assert robot.sequence.phase is Phase.ACTIVE
    assert [text for _, text in robot.log if "all" in text] == ["all 4 nodes are active"]


def test_a_manager_that_was_restarted_over_half_a_graph_takes_the_bridge_down_first():
    robot = Robot(bridge=NodeState.ACTIVE)
    robot.run(30, until=lambda: robot.sequence.phase is Phase.ACTIVE)
    assert robot.calls[0] == ("bridge", "deactivate")
    assert robot.calls[-1] == ("bridge", "activate")


def test_a_refusal_is_tried_again_ever_more_slowly_and_told():
    robot = Robot()
    robot.refuses.add(("planner", Transition.CONFIGURE))
    robot.run(40)
    tries = robot.calls.count(("planner", "configure"))
    assert 5 <= tries <= 7  # After 1, 2, 4, 8, 10, 10 s.
    assert robot.sequence.phase is Phase.FAILED
    refusals = [line for line in robot.log if "did not configure" in line[1]]
    assert refusals[0] == (
        "warn",
        "planner did not configure: it refused; see its log; next try in 1 s",
    )
    assert refusals[2][0] == "error"
    robot.refuses.clear()
    robot.run(15, until=lambda: robot.sequence.phase is Phase.ACTIVE)


def test_one_that_configures_well_and_refuses_to_activate_is_not_tried_in_a_hurry():
    robot = Robot()
    robot.refuses.add(("camera", Transition.ACTIVATE))
    robot.run(40)
    assert 5 <= robot.calls.count(("camera", "activate")) <= 7
    assert robot.sequence.phase is Phase.FAILED
    assert ("planner", "activate") not in robot.calls


def test_a_new_process_is_not_blamed_for_the_refusals_of_the_old_one():
    robot = Robot()
    robot.refuses.add(("planner", Transition.CONFIGURE))
    robot.run(40)
    robot.states["planner"] = NodeState.SILENT
    robot.run(1)
    assert robot.sequence.phase is Phase.STARTING
    robot.refuses.clear()
    robot.states["planner"] = NodeState.UNCONFIGURED
    robot.run(2, until=lambda: ("planner", "activate") in robot.calls)


def test_a_slow_configure_is_waited_for_and_said():
    robot = Robot()
    robot.slow_s["planner", Transition.CONFIGURE] = 100.0
    robot.run(40)
    assert robot.sequence.describe(robot.now).startswith("waiting for planner to configure (40 s,")
    robot.run(100, until=lambda: robot.sequence.phase is Phase.ACTIVE)
    assert robot.calls.count(("planner", "configure")) == 1


def test_a_call_without_a_reply_ends_at_its_limit():
    config = LifecycleConfig(activate_limit_s=5.0)
    sequence = LifecycleSequence(["a"], config, 0.0)
    sequence.observe("a", NodeState.INACTIVE, 0.0, 0.0)
    call = sequence.next_call(0.0)
    assert (call.node, call.transition, call.limit_s) == ("a", Transition.ACTIVATE, 5.0)
    assert sequence.next_call(4.9) is None
    sequence.drain_events()
    assert sequence.next_call(5.1) is None
    (event,) = sequence.drain_events()
    assert event.text == "a did not activate: no reply within 5 s; next try in 1 s"
    sequence.finished(call, True, 5.2)  # Too late to count.
    assert sequence.phase is not Phase.ACTIVE


def test_a_lost_reply_is_made_up_for_by_the_state():
    sequence = LifecycleSequence(["a"], LifecycleConfig(), 0.0)
    sequence.observe("a", NodeState.UNCONFIGURED, 0.0, 0.0)
    assert sequence.next_call(0.0).transition is Transition.CONFIGURE
    sequence.observe("a", NodeState.INACTIVE, 0.5, 0.5)  # The reply may still be on its way.
    assert sequence.next_call(0.6) is None
    sequence.observe("a", NodeState.INACTIVE, 1.5, 1.5)
    assert sequence.next_call(1.6).transition is Transition.ACTIVATE


def test_a_node_replaced_during_a_transition_is_noticed():
    sequence = LifecycleSequence(["a"], LifecycleConfig(), 0.0)
    sequence.observe("a", NodeState.INACTIVE, 0.0, 0.0)
    sequence.next_call(0.0)
    sequence.observe("a", NodeState.CHANGING, 1.5, 1.5)
    assert sequence.next_call(1.5) is None
    sequence.observe("a", NodeState.UNCONFIGURED, 2.0, 2.0)
    assert "started anew" in sequence.drain_events()[-1].text


def test_an_answer_from_before_the_last_change_does_not_count():
    sequence = LifecycleSequence(["a"], LifecycleConfig(), 0.0)
    sequence.observe("a", NodeState.INACTIVE, 0.0, 0.0)
    call = sequence.next_call(0.1)
    sequence.finished(call, True, 0.3)
    sequence.observe("a", NodeState.INACTIVE, 0.2, 0.4)
    assert sequence.phase is Phase.ACTIVE


def test_while_the_bridge_changes_nothing_else_is_touched():
    robot = Robot(**dict.fromkeys(NAMES, NodeState.ACTIVE)).up()
    robot.slow_s["bridge", Transition.DEACTIVATE] = 1.5
    robot.states["camera"] = NodeState.UNCONFIGURED
    robot.run(1.5)
    assert robot.calls == [("bridge", "deactivate")]


def test_a_finalized_node_is_a_failure():
    robot = Robot(planner=NodeState.FINALIZED)
    robot.run(2)
    assert robot.sequence.phase is Phase.FAILED
    assert ("error", "planner is finalized: it must be started anew") in robot.log


def test_at_the_end_the_bridge_goes_first():
    robot = Robot().up()
    assert robot.sequence.active_in_reverse() == NAMES[::-1]


@pytest.mark.parametrize("names", [(), ("a", "a")])
def test_names_must_be_unique(names):
    with pytest.raises(ValueError, match="wanted unique names"):
        LifecycleSequence(names, LifecycleConfig(), 0.0)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_dies_when_it_recovers_and_the_bridge_never_stays_alone(seed):
    draw = random.Random(seed)
    robot = Robot().up()
    alone_since = None
    for _ in range(30):
        victim = draw.choice(NAMES)
        robot.states[victim] = draw.choice(
            [NodeState.SILENT, NodeState.UNCONFIGURED, NodeState.INACTIVE]
        )
        for _ in range(draw.randint(1, 80)):
            robot.step()
            alone_since = (alone_since or robot.now) if robot.bridge_alone else None
            assert alone_since is None or robot.now - alone_since < 0.6  # One question's period.
        if robot.states[victim] is NodeState.SILENT:
            robot.states[victim] = NodeState.UNCONFIGURED
    robot.run(60, until=lambda: robot.sequence.phase is Phase.ACTIVE)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"ask_period_s": 0.0}, "ask_period_s: wanted more than 0"),
        ({"answer_timeout_s": 0.1}, "answer_timeout_s: wanted at least ask_period_s"),
        ({"max_retry_s": 0.5}, "max_retry_s: wanted at least first_retry_s"),
    ],
)
def test_limits_that_make_no_sense_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        LifecycleConfig(**arguments)
