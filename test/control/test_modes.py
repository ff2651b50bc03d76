"""The state machine: who may change the mode, and that the most severe one wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi05_ros.control.modes import Mode, StateMachine, disarmed_by_itself
from pi05_ros.errors import MessageError


def in_mode(mode):
    """A state machine brought to `mode` as the bridge would."""
    state = StateMachine()
    if mode in (Mode.HOLDING, Mode.RUNNING):
        state.arm()
    if mode is Mode.RUNNING:
        state.run()
    if mode is Mode.FAULTED:
        state.fault("a fault")
    if mode is Mode.STOPPED:
        state.stop("a stop")
    assert state.mode is mode
    return state


@pytest.mark.parametrize(
    ("mode", "act", "after", "reason"),
    [
        (Mode.DISARMED, StateMachine.arm, Mode.HOLDING, "armed, waiting for a chunk"),
        (Mode.HOLDING, StateMachine.run, Mode.RUNNING, ""),
        (Mode.RUNNING, StateMachine.run, Mode.RUNNING, ""),
        (Mode.RUNNING, lambda s: s.hold("why"), Mode.HOLDING, "why"),
        (Mode.HOLDING, lambda s: s.hold("why"), Mode.HOLDING, "why"),
        (Mode.RUNNING, lambda s: s.disarm("why"), Mode.DISARMED, "why"),
        (Mode.HOLDING, lambda s: s.disarm("why"), Mode.DISARMED, "why"),
        (Mode.DISARMED, lambda s: s.disarm("why"), Mode.DISARMED, "why"),
        (Mode.FAULTED, lambda s: s.disarm("why"), Mode.FAULTED, "a fault"),
        (Mode.STOPPED, lambda s: s.disarm("why"), Mode.STOPPED, "a stop"),
        (Mode.DISARMED, lambda s: s.fault("why"), Mode.FAULTED, "why"),
        (Mode.RUNNING, lambda s: s.fault("why"), Mode.FAULTED, "why"),
        (Mode.FAULTED, lambda s: s.fault("why"), Mode.FAULTED, "a fault"),
        (Mode.STOPPED, lambda s: s.fault("why"), Mode.STOPPED, "a stop"),
        (Mode.DISARMED, lambda s: s.stop("why"), Mode.STOPPED, "why"),
        (Mode.RUNNING, lambda s: s.stop("why"), Mode.STOPPED, "why"),
        (Mode.FAULTED, lambda s: s.stop("why"), Mode.STOPPED, "why"),
        (Mode.FAULTED, StateMachine.reset, Mode.DISARMED, "fault was reset: call 'arm'"),
        (Mode.STOPPED, StateMachine.reset, Mode.DISARMED, "stop was reset: call 'arm'"),
        (Mode.RUNNING, StateMachine.reset, Mode.RUNNING, ""),
        (Mode.STOPPED, StateMachine.arm, Mode.HOLDING, "armed, waiting for a chunk"),
    ],
)
def test_transitions(mode, act, after, reason):
    state = in_mode(mode)
    act(state)
    assert (state.mode, state.reason) == (after, reason)


def test_it_comes_up_disarmed_and_says_how_to_arm():
    state = StateMachine()
    assert (state.mode, state.epoch) == (Mode.DISARMED, 1)
    assert state.reason == "not armed yet: call the service 'arm'"
    assert not disarmed_by_itself(state.reason)


@pytest.mark.parametrize("mode", [Mode.DISARMED, Mode.FAULTED, Mode.STOPPED])
@pytest.mark.parametrize("act", [StateMachine.run, lambda state: state.hold("why")])
def test_only_an_armed_bridge_runs_or_holds(mode, act):
    with pytest.raises(RuntimeError, match=f"only an armed .* it is {mode.name}"):
        act(in_mode(mode))


@pytest.mark.parametrize("mode", Mode)
def test_disarm_fault_and_stop_say_whether_the_robot_was_armed(mode):
    armed = mode in (Mode.RUNNING, Mode.HOLDING)
    assert mode.is_armed is armed
    assert in_mode(mode).disarm("why") is armed
    assert in_mode(mode).fault("why") is armed
    assert in_mode(mode).stop("why") is armed


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        (Mode.FAULTED, r"faulted \(a fault\): call 'reset' first"),
        (Mode.STOPPED, r"stopped \(a stop\): call 'reset' first"),
    ],
)
def test_a_latch_is_not_armed_away(mode, problem):
    with pytest.raises(MessageError, match=problem):
        in_mode(mode).check_arm()


@pytest.mark.parametrize("mode", [Mode.RUNNING, Mode.HOLDING, Mode.DISARMED])
def test_what_is_not_latched_may_be_armed_but_there_is_nothing_to_resume(mode):
    state = in_mode(mode)
    state.check_arm()
    name = mode.name.lower()
    with pytest.raises(MessageError, match=f"nothing to resume: {name}, not stopped"):
        state.check_resume()


def test_resume_goes_on_after_a_stop_but_never_skips_a_fault():
    in_mode(Mode.STOPPED).check_resume()
    for order in (("fault", "stop"), ("stop", "fault")):
        state = StateMachine()
        for word in order:
            getattr(state, word)(f"the {word}")
        assert state.mode is Mode.STOPPED
        with pytest.raises(MessageError, match=r"latched \(the fault\): call 'reset', then 'arm'"):
            state.check_resume()
        with pytest.raises(MessageError, match=r"latched \(the fault\): call 'reset' first"):
            state.arm()
        assert state.mode is Mode.STOPPED
        state.reset()
        assert state.mode is Mode.DISARMED
        state.check_arm()
        state.arm()
        state.stop("again")
        state.check_resume()


def test_every_change_that_voids_chunks_raises_the_epoch():
    state = StateMachine()
    epochs = [state.epoch]
    for act in (
        state.arm,
        lambda: state.disarm(""),
        lambda: state.fault(""),
        lambda: state.stop(""),
        state.reset,
        state.void,
    ):
        act()
        epochs.append(state.epoch)
    assert epochs == [1, 2, 3, 4, 5, 6, 7]
    state.arm()
    before = state.epoch
    state.run()
    state.hold("why")
    assert state.epoch == before


WORDS = {
    "arm": lambda s: s.arm(),
    "run": lambda s: s.run(),
    "hold": lambda s: s.hold("h"),
    "disarm": lambda s: s.disarm("d"),
    "fault": lambda s: s.fault("f"),
    "stop": lambda s: s.stop("s"),
    "reset": lambda s: s.reset(),
    "void": lambda s: s.void(),
}


@given(st.lists(st.sampled_from(sorted(WORDS)), max_size=40))
def test_by_itself_a_mode_only_becomes_more_severe(words):
    """Whatever is called in whatever order."""
    state = StateMachine()
    latched = False
    for word in words:
        mode, epoch = state.mode, state.epoch
        try:
            WORDS[word](state)
        except (RuntimeError, MessageError):
            assert (state.mode, state.epoch) == (mode, epoch)
            continue
        latched = (latched or word == "fault") and word != "reset"
        assert state.epoch >= epoch
        assert word not in ("fault", "stop") or state.mode >= Mode.FAULTED
        if state.mode < mode:
            assert word in ("arm", "reset") or (mode, state.mode) == (Mode.HOLDING, Mode.RUNNING)
        if latched:
            assert not state.mode.is_armed
