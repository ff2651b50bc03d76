"""Running steps: records, going on, changes, failures, Ctrl-C, the page. The verbs are fakes."""

import json
import os
import signal
import sys

import pytest

from pi05_ros.evaluation.reproduction.plan import Plan, PlanError, ScenesStep, Step
from pi05_ros.evaluation.reproduction.record import Record
from pi05_ros.evaluation.reproduction.run import Runner, reproduce
from pi05_ros.evaluation.reproduction.work import Work

PLAN = Plan("p", {"a": Step(scenes=ScenesStep("0"))})
ROW = {"task": "dishes", "mode": "full", "platform": "m", "points_share": 0.5, "homes": 3}
ROW |= {"interval": [0.25, 0.75], "episodes": 3, "faults": 0}
# What stands for `./pi05`: the folder --out with what the verb would leave there.
FAKE = f"""
import json, pathlib, sys, time
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir(exist_ok=True)
end = time.process_time() + 0.06
while time.process_time() < end:
    pass
if "--fail" in sys.argv:
    sys.exit("the disk is full")
if "--wait" in sys.argv and not (out / "begun").exists():
    (out / "begun").touch()
    print("ready", flush=True)
    try:
        time.sleep(20)
    except KeyboardInterrupt:
        sys.exit(130)
if sys.argv[1] == "eval":
    (out / "summary.json").write_text({json.dumps(json.dumps({"results": [ROW]}))})
(out / "x.jsonl").write_text('{{"kind": "boxes"}}\\n{{"kind": "boxes"}}\\n')
print("made", *sys.argv[1:])
"""


def scenes(name, inputs=(), **options):
    flags = {f"--{key}": value for key, value in options.items()}
    return Work(name, "scenes", ("homes", "scenes"), flags, 2, "picture sets", 1.0, inputs)


def evaluation(name, inputs):
    return Work(name, "eval", ("eval",), {}, 3, "trials", 1.0, inputs)


STEPS = [scenes("a", homes="0-1"), scenes("b", ("a",)), evaluation("points", ("b",))]


@pytest.fixture
def runner(tmp_path):
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    logged = []
    made = Runner(
        1,
        log=logged.append,
        command=lambda words: [sys.executable, "-I", "-S", str(script), *words],
    )
    object.__setattr__(made, "logged", logged)
    return made


def run(folder, runner, steps=STEPS, **options):
    return reproduce(PLAN, steps, 1.0, folder, runner, **options)


def test_steps_run_once_and_are_written_down(tmp_path, runner):
    out = tmp_path / "out"
    assert run(out, runner)
    content = json.loads((out / "reproduce.json").read_text())
    first = content["steps"]["a"]
    assert first["finished"] and first["result"] == {"homes": 1, "boxes": 2}
    assert 0.06 <= first["core_seconds"] < 2.0 and first["wall_seconds"] >= 0.06
    assert first["settings"] == {"verb": "homes scenes", "--homes": "0-1"}
    log = (out / "a.log").read_text()
    assert log.startswith("$ ./pi05 homes scenes --homes 0-1 --jobs 1 --out a\nmade homes")
    # The curve: what a and b have cost, and the points with their interval.
    (point,) = content["curve"]
    hours = (first["core_seconds"] + content["steps"]["b"]["core_seconds"]) / 3600
    assert point["core_hours"] == pytest.approx(hours, abs=1e-4)
    assert (point["points_share"], point["interval"]) == (0.5, [0.25, 0.75])
    page = (out / "index.html").read_text()
    assert "dishes 50.0 % (25.0 to 75.0; full, m, 3 homes)" in page and "<svg" in page
    assert (out / "curve.svg").read_text().startswith("<?xml")
    runner.logged.clear()
    assert run(out, runner)
    assert runner.logged == []
    assert Record(out).steps["a"]["attempts"] == 1


def test_ctrl_c_stops_the_step_and_the_same_call_goes_on(tmp_path, runner):
    out = tmp_path / "out"
    steps = [scenes("a", wait=""), *STEPS[1:]]
    asked = []

    def show(text):
        if "ready" in text and not asked:
            asked.append(text)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    assert not run(out, Runner(1, show, runner.log, runner.command), steps)
    assert asked == ["[1 of 3] a: ready"]
    assert signal.getsignal(signal.SIGINT) is before
    entry = Record(out).steps["a"]
    assert not entry["finished"] and "b" not in Record(out).steps
    assert run(out, runner, steps)
    again = Record(out).steps["a"]
    assert again["finished"] and again["attempts"] == 2
    assert again["core_seconds"] >= entry["core_seconds"] + 0.06  # Both attempts.


def test_a_step_that_fails_says_what_its_log_says(tmp_path, runner):
    with pytest.raises(PlanError, match=r"step b failed \(exit status 1\)(.|\n)*the disk is full"):
        run(tmp_path / "out", runner, [STEPS[0], scenes("b", ("a",), fail="")])
    record = Record(tmp_path / "out")
    assert record.is_done("a") and not record.is_done("b")
    assert record.steps["b"]["core_seconds"] >= 0.06


def test_changed_settings_are_refused_until_they_are_made_again(tmp_path, runner):
    out = tmp_path / "out"
    run(out, runner)
    changed = [scenes("a", homes="0-5"), *STEPS[1:]]
    message = "step a .*--homes was 0-1, and 0-5 is wanted.* --redo a b points"
    with pytest.raises(PlanError, match=message):
        run(out, runner, changed)
    with pytest.raises(PlanError, match="b, points used a: give --redo a b points"):
        run(out, runner, changed, redo=["a"])
    (out / "a" / "left").touch()
    assert run(out, runner, changed, redo=["a", "b", "points"])
    assert not (out / "a" / "left").exists()
    assert Record(out).steps["points"]["attempts"] == 1
    content = json.loads((out / "reproduce.json").read_text())
    assert [one["step"] for one in content["removed"]] == ["a", "b", "points"]
    assert content["removed"][0]["core_seconds"] >= 0.06  # What is thrown away has cost too.


def test_a_changed_input_is_named(tmp_path, runner):
    out = tmp_path / "out"
    run(out, runner)
    record = Record(out)
    record.forget("a")
    with pytest.raises(PlanError, match="step b .*its input a changed"):
        run(out, runner, [scenes("a", homes="0-5"), *STEPS[1:]])


def test_only_some_steps(tmp_path, runner):
    out = tmp_path / "out"
    with pytest.raises(PlanError, match="step b uses a, not finished yet: name it with --only"):
        run(out, runner, only=["b"])
    with pytest.raises(PlanError, match="there is no step 'c' .valid: a, b, points"):
        run(out, runner, only=["c"])
    assert run(out, runner, only=["a"])
    assert list(Record(out).steps) == ["a"]
    assert run(out, runner, only=["b"])
    assert list(Record(out).steps) == ["a", "b"]


def test_folders_that_are_not_ours(tmp_path, runner):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(PlanError, match="holds other files"):
        run(tmp_path / "out", runner)
    (tmp_path / "out" / "reproduce.json").write_text("[]")
    with pytest.raises(PlanError, match="cannot be read"):
        run(tmp_path / "out", runner)


def test_a_step_that_was_killed(tmp_path, runner):
    def show(text):
        if "ready" in text:
            pid = next(p for p in children() if b"--wait" in p[1])[0]
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(PlanError, match="signal 9 killed it"):
        run(tmp_path / "out", Runner(1, show, command=runner.command), [scenes("a", wait="")])


def children():
    """Process id and command line of the children of this process."""
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        try:
            with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline", "rb") as line:
                if int(stat.read().rpartition(")")[2].split()[1]) == os.getpid():
                    yield pid, line.read()
        except OSError:
            continue
