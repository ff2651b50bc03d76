"""Simulated time that stands still, on a clock that the test turns."""

from pi05_ros.demo.stall import StallWatch


def steps(stall, sim_s, walls, waits_for=""):
    """The steps at these wall times."""
    return [stall.step(sim_s, wall, waits_for) for wall in walls]


def test_time_that_advances_needs_nothing():
    stall = StallWatch(100.0)
    for i in range(100):
        step = stall.step(0.1 * i, 100.0 + 2.9 * i, "")
        assert (step.notice, step.lines, step.failure) == ("", (), "")


def test_a_stall_is_told_once_and_its_end_too():
    stall = StallWatch(0.0)
    stall.step(1.0, 10.0, "")
    steps_ = steps(stall, 1.0, (12.9, 13.0, 14.0))
    line = "simulated time has stood still for 3 s; the demo ends after 30 s of it"
    assert [step.lines for step in steps_] == [(), (line,), ()]
    assert [step.notice for step in steps_] == ["", line, line.replace("3 s;", "4 s;")]
    assert stall.step(1.1, 15.5, "").lines == ("simulated time resumed after 5.5 s",)
    assert stall.step(1.2, 16.0, "").lines == ()


def test_it_says_what_the_simulation_waits_for_and_when_that_changes():
    stall = StallWatch(0.0)
    stall.step(1.0, 0.0, "")
    (line,) = stall.step(1.0, 4.0, "a command of control_bridge").lines
    assert line == (
        "simulated time has stood still for 4 s: the simulation waits for a command of "
        "control_bridge; the demo ends after 30 s of it"
    )
    assert stall.step(1.0, 5.0, "a command of control_bridge").lines == ()
    assert "waits for planner;" in stall.step(1.0, 6.0, "planner").lines[0]


def test_it_fails_after_thirty_seconds_whether_it_ever_advanced_or_not():
    stall = StallWatch(0.0)
    assert stall.step(0.0, 0.0, "").failure == ""
    assert stall.step(0.0, 30.0, "").failure == ""
    assert stall.step(0.0, 30.1, "").failure == "simulated time has stood still for 30 s"
    assert stall.step(0.0, 31.0, "policy").failure == (
        "simulated time has stood still for 31 s: the simulation waits for policy"
    )


def test_a_simulation_that_says_that_it_waits_has_not_failed():
    stall = StallWatch(0.0)
    stall.step(1.0, 0.0, "")
    step = stall.step(1.0, 300.0, "policy, which is late", is_alive=True)
    assert step.failure == ""
    assert step.lines == (
        "simulated time has stood still for 300 s: the simulation waits for policy, which is "
        "late; the demo waits, too",
    )
    assert stall.step(1.0, 300.0, "", is_alive=True).failure != ""
    assert stall.step(1.0, 306.0, "policy, which is late").failure != ""
