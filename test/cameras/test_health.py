"""Status of cameras, on a clock that the test sets."""

import math

import pytest

from pi05_ros.cameras.health import CameraStatus, CameraWatch, Level, WatchSettings

MS = 1_000_000
SYSTEM = 1_700_000_000_000 * MS  # The node's time when the steady clock shows 0.


class Drivers:
    """Three cameras at 10 Hz; front and wrist are needed; all pictures differ."""

    def __init__(self, **settings):
        self.steady = 5_000 * MS
        self.step = 0  # What the system clock has stepped by [ns].
        self.count = 0
        self.watch = CameraWatch(
            ("front", "back", "wrist"), ("front", "wrist"), WatchSettings(**settings), self.steady
        )

    @property
    def now(self):
        return SYSTEM + self.step + self.steady

    def send(
        self, camera, latency=10 * MS, stamp=None, fingerprint=None, blindness="", in_set=True
    ):
        self.count += 1
        used = self.watch.arrived(
            camera,
            self.now - latency if stamp is None else stamp,
            self.now,
            self.steady,
            self.count if fingerprint is None else fingerprint,
        )
        if used and in_set:
            self.watch.used(camera, blindness, self.steady)
        return used

    def run(self, ms, **special):
        """Send pictures for `ms`; `special`: arguments of a camera, None if it is silent."""
        for _ in range(0, ms, 100):
            self.steady += 100 * MS
            for camera in ("front", "back", "wrist"):
                changes = special.get(camera, {})
                if changes is not None:
                    self.send(camera, **changes)

    def wait(self, ms):
        self.steady += ms * MS

    @property
    def fitness(self):
        return self.watch.fitness(self.steady)

    def status(self, camera):
        return self.watch.status(camera, self.steady)


@pytest.fixture
def drivers():
    made = Drivers()
    made.run(1000)
    return made


def test_sending_cameras_are_fine(drivers):
    assert drivers.fitness == ""
    assert all(drivers.status(name) == CameraStatus() for name in ("front", "back", "wrist"))
    assert drivers.watch.rate("front", drivers.steady) == pytest.approx(10.0)
    assert drivers.watch.age("front", drivers.steady) == pytest.approx(0.010)
    assert drivers.watch.counts("front") == {"pictures": 10, "same bytes": 0}


def test_before_the_first_picture_nothing_may_move():
    drivers = Drivers()
    assert drivers.fitness == "camera front: no picture yet; camera wrist: no picture yet"
    assert drivers.watch.starting(drivers.steady)
    assert math.isnan(drivers.watch.age("front", drivers.steady))
    drivers.wait(3001)
    assert not drivers.watch.starting(drivers.steady)


def test_a_silent_camera_is_unfit_300_ms_after_its_last_picture_and_fit_when_it_sends_again(
    drivers,
):
    drivers.wait(289)
    assert drivers.fitness == ""
    drivers.wait(1)  # The last picture was 10 ms old when it came.
    assert drivers.fitness == (
        "camera front: its pictures are over 0.3 s old; "
        "camera wrist: its pictures are over 0.3 s old"
    )
    drivers.wait(10)
    assert drivers.fitness == (
        "camera front: silent for over 0.3 s; camera wrist: silent for over 0.3 s"
    )
    drivers.run(100)
    assert drivers.fitness == ""


def test_a_camera_that_the_policy_does_not_need_does_not_hold_the_robot(drivers):
    drivers.run(1000, back=None)
    assert drivers.fitness == ""
    assert drivers.status("back") == CameraStatus(Level.UNFIT, "silent for over 0.3 s")
    assert drivers.watch.rate("back", drivers.steady + 2_000 * MS) == 0.0


def test_the_cameras_that_the_robot_needs_are_those_of_the_checkpoint(drivers):
    drivers.watch.need(["front", "back"])
    drivers.run(1000, left_wrist=None)
    assert drivers.fitness == ""
    drivers.run(1000, back=None)
    assert "back" in drivers.fitness
    with pytest.raises(ValueError, match="wanted cameras of front, .*, found base_0_rgb"):
        drivers.watch.need(["front", "base_0_rgb"])
    assert "back" in drivers.fitness


def test_a_stamp_that_repeats_is_no_new_picture_even_with_new_bytes(drivers):
    stamp = drivers.now - 10 * MS
    drivers.run(300, front={"stamp": stamp})
    assert drivers.fitness == ("camera front: no usable picture for over 0.3 s, its stamp repeats")
    assert drivers.watch.counts("front")["refused, its stamp repeats"] == 3


def test_equal_bytes_warn_after_15_and_are_unfit_after_30(drivers):
    drivers.run(1400, front={"fingerprint": 7})
    assert drivers.status("front") == CameraStatus()
    drivers.run(100, front={"fingerprint": 7})
    assert drivers.status("front") == CameraStatus(
        Level.WARN, "the same picture 15 times or more in a row"
    )
    drivers.run(1400, front={"fingerprint": 7})
    assert drivers.fitness == ""
    drivers.run(100, front={"fingerprint": 7})
    assert drivers.fitness == "camera front: the same picture 30 times or more in a row"
    assert drivers.watch.counts("front")["same bytes"] == 29
    drivers.run(100)
    assert drivers.fitness == ""


def test_equal_bytes_can_be_allowed_where_pictures_have_no_noise():
    drivers = Drivers(repeats_warn=0, repeats_unfit=0)
    drivers.run(10_000, front={"fingerprint": 7})
    assert drivers.fitness == "" and drivers.status("front") == CameraStatus()


def test_repeats_that_are_unfit_before_they_warn_are_refused():
    with pytest.raises(ValueError, match="repeats_unfit 5 is below repeats_warn 15"):
        WatchSettings(repeats_unfit=5)


@pytest.mark.parametrize("latency", [200 * MS, 5_000 * MS])
def test_a_camera_stamped_behind_the_others_is_refused_at_once_and_unfit_after_300_ms(
    drivers, latency
):
    drivers.steady += 100 * MS
    assert drivers.send("front") and not drivers.send("wrist", latency)
    drivers.run(200, wrist={"latency": latency})
    assert drivers.fitness == (
        "camera wrist: no usable picture for over 0.3 s, its stamps lag those of the other cameras"
    )
    drivers.run(100)
    assert drivers.fitness == ""


def test_a_stamp_in_the_future_is_refused(drivers):
    drivers.steady += 100 * MS
    assert drivers.send("front", latency=-50 * MS)
    drivers.steady += 100 * MS
    assert not drivers.send("front", latency=-51 * MS)
    drivers.run(300, front={"latency": -5_000 * MS})
    assert drivers.fitness == (
        "camera front: no usable picture for over 0.3 s, its stamps are in the future"
    )


def test_two_slower_cameras_are_not_off_because_the_third_is_fast(drivers):
    slower = {"latency": 150 * MS}
    drivers.run(1000, front=slower, wrist=slower)
    assert drivers.fitness == ""


def test_cameras_with_stamps_in_the_future_do_not_make_the_others_late(drivers):
    ahead = {"latency": -5_000 * MS}
    drivers.run(1000, back=ahead, wrist=ahead)
    assert drivers.status("front") == CameraStatus()


def test_cameras_that_all_become_slower_agree_again(drivers):
    late = {"latency": 150 * MS}
    drivers.run(300, front=late, back=late, wrist=late)
    assert drivers.fitness == ""


def test_cameras_that_are_all_late_are_unfit_by_the_age_of_their_stamps(drivers):
    late = {"latency": 310 * MS}
    drivers.run(500, front=late, back=late, wrist=late)
    assert "camera front: its pictures are over 0.3 s old" in drivers.fitness


@pytest.mark.parametrize("step_s", [-3600, -10, 10])
def test_a_step_of_the_system_clock_makes_no_old_picture_new_and_no_camera_unfit(drivers, step_s):
    drivers.step = step_s * 1_000 * MS
    drivers.wait(99)
    assert drivers.fitness == ""
    drivers.wait(191)
    assert "over 0.3 s" in drivers.fitness
    drivers.run(200)
    assert drivers.fitness == ""


def test_a_picture_from_before_a_step_back_is_refused(drivers):
    stamp = drivers.now
    drivers.step = -10_000 * MS
    drivers.wait(100)
    assert not drivers.send("front", stamp=stamp)


def test_a_simulation_that_is_restarted_resets_the_watch(drivers):
    drivers.steady -= 4_000 * MS
    assert drivers.watch.starting(drivers.steady)
    assert "no picture yet" in drivers.fitness
    drivers.run(200)
    assert drivers.fitness == ""


def test_some_broken_pictures_are_a_warning_that_ends_two_seconds_after_the_last(drivers):
    drivers.run(500)
    drivers.watch.malformed("front", "the JPEG is damaged", drivers.steady)
    drivers.run(100)
    assert drivers.status("front") == CameraStatus(
        Level.WARN, "some of its pictures are broken (the JPEG is damaged), and not used"
    )
    assert drivers.fitness == ""
    assert drivers.watch.counts("front")["malformed"] == 1
    drivers.run(2000)
    assert drivers.status("front") == CameraStatus()


def test_broken_pictures_are_unfit_after_300_ms_and_one_good_one_ends_it(drivers):
    def broken(ms):
        for _ in range(0, ms, 100):
            drivers.run(100, front={"in_set": False})
            drivers.watch.malformed("front", "cut JPEG", drivers.steady)

    broken(300)
    assert drivers.fitness == ""
    broken(100)
    assert drivers.fitness == "camera front: its pictures are broken (cut JPEG)"
    assert drivers.watch.counts("front")["malformed"] == 4
    drivers.run(100)
    assert drivers.fitness == ""


def test_pictures_that_fit_into_no_set_are_unfit(drivers):
    drivers.run(500, front={"in_set": False})
    assert drivers.fitness == ""
    drivers.run(100, front={"in_set": False})
    assert drivers.fitness == "camera front: its pictures come but fit into no set"


def test_a_camera_that_sends_again_has_time_to_come_into_a_set(drivers):
    drivers.run(2000, front=None)
    drivers.run(500, front={"in_set": False})
    assert drivers.fitness == ""
    drivers.run(200, front={"in_set": False})
    assert drivers.fitness == "camera front: its pictures come but fit into no set"


@pytest.mark.parametrize("blindness", ["black", "saturated", "covered"])
def test_a_blind_camera_is_a_warning_and_all_needed_ones_blind_are_unfit(drivers, blindness):
    blind = {"blindness": blindness}
    drivers.run(2000, front=blind)
    assert drivers.status("front") == CameraStatus(Level.WARN, f"{blindness}: nothing can be seen")
    assert drivers.fitness == ""
    drivers.run(300, front=blind, wrist=blind)
    assert drivers.fitness == ""
    drivers.run(100, front=blind, wrist=blind)
    assert drivers.fitness == f"nothing can be seen in any needed camera ({blindness})"
    drivers.run(100, front=blind)
    assert drivers.fitness == ""


def test_blindness_can_be_allowed():
    drivers = Drivers(blind_unfit=False)
    blind = {"blindness": "black"}
    drivers.run(2000, front=blind, wrist=blind)
    assert drivers.fitness == ""
