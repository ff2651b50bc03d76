"""Frames of the page's teleoperation, and its dead-man switch on a clock of its own."""

import pytest
from fakes.console_pages import TurnedClock

from pi05_ros.console.answers import Refused
from pi05_ros.console.control import ControlArbiter
from pi05_ros.console.drive import RELEASED, DriveFrame, DriveGate, parse_frame

AXES = [0.5, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0.25]
HELD = DriveFrame(True, 1, tuple(map(float, AXES)))
LET_GO = DriveFrame(False, 1, HELD.axes)


class Scene:
    """A gate, and ada (session 1) who holds control and has just seen the robot."""

    def __init__(self):
        self.clock = TurnedClock()
        self.control = ControlArbiter(self.clock)
        self.sent = []
        self.gate = DriveGate(self.control, self.sent.append, self.clock)
        self.lease = self.control.take(1, "ada", self.clock.now).lease

    def frame(self, frame=HELD, session=1, lease=None, behind=0.0):
        """A frame of a page that shows what was sent `behind` seconds ago."""
        at = self.clock.now - behind
        self.control.seen(session, at)
        self.gate.take(session, lease or self.lease, at, at, frame)

    def refused(self, *args, status=409, **options):
        with pytest.raises(Refused) as caught:
            self.frame(*args, **options)
        assert caught.value.status == status
        return str(caught.value)


@pytest.fixture
def scene():
    return Scene()


def test_a_frame_is_numbers_within_their_ranges_and_nothing_else():
    assert parse_frame({"axes": AXES, "buttons": [1, 1]}) == HELD
    nan, inf = float("nan"), float("inf")
    for index, value in (
        *((0, nan), (0, inf), (3, 1.01), (9, -1.5), (5, True), (5, "0"), (5, None)),
        *((10, -0.5), (11, 1.5), (4, 10**400)),
    ):
        wrong = [*AXES[:index], value, *AXES[index + 1 :]]
        with pytest.raises(Refused, match="axes: ") as caught:
            parse_frame({"axes": wrong, "buttons": [1, 0]})
        assert caught.value.status == 400
    for axes in (AXES[:11], [*AXES, 0], {}, None, "x" * 12):
        with pytest.raises(Refused, match="list of 12 numbers"):
            parse_frame({"axes": axes, "buttons": [1, 0]})
    for buttons in ([1], [1, 0, 0], [2, 0], [True, 0], [1.0, 0], None, [0, -1]):
        with pytest.raises(Refused, match="dead_man, hand"):
            parse_frame({"axes": AXES, "buttons": buttons})


def test_every_frame_that_is_held_passes_once_and_letting_go_is_said_once(scene):
    for _ in range(3):
        scene.frame()
        scene.clock.now += 0.04
    assert scene.gate.driver == 1
    scene.frame(LET_GO)
    scene.frame(LET_GO)
    assert scene.sent == [HELD] * 3 + [RELEASED]
    assert scene.gate.driver == 0


def test_only_the_holder_of_control_drives(scene):
    assert "only watches" in scene.refused(session=2)
    assert "has expired" in scene.refused(lease=scene.lease + 1)
    scene.control.release(1)
    scene.frame(LET_GO)
    assert "nobody holds control" in scene.refused()
    assert scene.sent == []


def test_silence_says_nothing_and_the_switch_must_be_let_go_first(scene):
    scene.frame()
    scene.clock.now += 0.29
    scene.frame()
    scene.clock.now += 0.31
    assert scene.gate.driver == 0
    assert "let go, then press again" in scene.refused()
    scene.clock.now += 0.04
    scene.refused()
    assert scene.sent == [HELD] * 2  # The robot holds: nobody handed back.
    scene.frame(LET_GO)
    assert scene.sent[2:] == [RELEASED]
    scene.frame()
    assert scene.sent[3:] == [HELD]


def test_a_late_frame_is_refused_and_blocks_what_follows(scene):
    scene.frame()
    assert "0.4 s behind" in scene.refused(behind=0.4)
    assert "let go" in scene.refused()
    # Nor does a late release hand back: only one that is in time.
    assert "0.4 s behind" in scene.refused(LET_GO, behind=0.4)
    assert scene.sent == [HELD]
    scene.frame(LET_GO)
    assert scene.sent == [HELD, RELEASED]


def test_a_stop_ends_driving_until_the_switch_was_let_go(scene):
    scene.frame()
    scene.control.stopped()
    scene.gate.interrupt()
    assert scene.sent == [HELD, RELEASED]
    scene.clock.now += 0.04
    assert "let go" in scene.refused()
    scene.frame(LET_GO)
    scene.frame()
    assert scene.sent == [HELD, RELEASED, HELD]


def test_a_page_that_has_not_shown_the_stop_cannot_drive(scene):
    scene.clock.now += 0.1
    scene.control.stopped()
    assert "stop was pressed" in scene.refused(behind=0.05)


def test_who_takes_over_from_a_silent_driver_hands_back_by_pressing_and_letting_go(scene):
    scene.frame()
    scene.clock.now += 0.5
    scene.gate.leave(1)
    scene.gate.interrupt()  # Taken over: the silent page cannot say that it let go.
    assert scene.sent == [HELD]
    lease = scene.control.take(2, "bob", scene.clock.now, over=scene.lease).lease
    scene.frame(session=2, lease=lease)
    scene.frame(LET_GO, session=2, lease=lease)
    assert scene.sent == [HELD, HELD, RELEASED]


def test_a_flood_is_thinned_and_letting_go_always_passes(scene):
    for _ in range(40):
        scene.frame()
    assert "too many frames" in scene.refused(status=429)
    scene.frame(LET_GO)
    assert scene.sent == [HELD] * 40 + [RELEASED]
