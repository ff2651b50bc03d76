"""The tables of benchmarks/nano_tables.py, from results made by hand."""

import json
import re

import pytest
from fakes.trials import result, settings
from nano_results.cells import cells_of, evaluations_of, first_share, points_share
from nano_results.paper import TABLES, Row
from nano_results.stored import (
    ResultsError,
    load,
    reduce_evaluation,
    reduce_run,
    reduce_summary,
    store,
)
from nano_tables import main

from pi05_ros.evaluation.reproduction.plan import plan_names
from pi05_ros.evaluation.trials.modes import MODES
from pi05_ros.evaluation.trials.result import Criterion
from pi05_ros.evaluation.trials.settings import WHOLE, Shard, Weights
from pi05_ros.evaluation.trials.summary import summarize
from pi05_ros.evaluation.trials.tasks import find_tasks

ROBOT = "mobile_18dof"
OF = settings((1, 2), brain="model", weights=(Weights("a", "d1"), Weights("b", "d2")))


def anything(task):
    return True


def summary(shard=WHOLE):
    """Checkpoint a has 2 and 1 of 2 points, b 1 and 0."""
    given = [(1.0, 1.0), (1.0, 0.0), (1.0, 0.0), (0.0, 0.0)]
    trials = [result(OF, t, *points) for t, points in zip(OF.trials(), given, strict=True)]
    return summarize(OF, trials, shard)


def trial(home, points, task="dishes", mode="full", first=0.0):
    return {
        "task": task, "mode": mode, "home": home, "seed": 0, "points": points, "max_points": 4.0,
        "fault": False, "criteria": {"pick up … first": [first, 1.0]},
    }  # fmt: skip


def evaluation(trials, step="points18", digest="aa", samples=100, **more):
    return {
        "step": step,
        "checkpoint": {"step": "again", "recipe": "r", "recipe_hash": "", "hash": digest},
        "samples": samples, "core_hours": 1.5, "brain": "model", "platform": ROBOT,
        "difficulty": "ideal", "planner": "", "ros": False, "software": [],
        "trials": trials, **more,
    }  # fmt: skip


def stored(plan, *evaluations):
    return {"plan": plan, "hash": "h", "scale": 1.0, "evaluations": list(evaluations)}


def page_of(tmp_path, word, *runs):
    for run in runs:
        store(run, tmp_path / "results")
    out = tmp_path / "docs" / f"{word}.md"
    assert main([word, "--results", str(tmp_path / "results"), "--out", str(out)]) == 0
    assert out.with_suffix(".svg").read_text().startswith("<?xml")
    return out.read_text()


def line(page, *beginning):
    start = f"| {' | '.join(beginning)} |"
    (found,) = [row for row in page.splitlines() if row.startswith(start)]
    return [cell.strip() for cell in found[len(start) :].strip(" |").split("|")]


def test_a_summary_is_reduced_to_points_by_home():
    kept = reduce_summary(summary(), "b")
    assert kept["platform"] == ROBOT and kept["software"] == ["pi05_ros test"]
    assert [(t["home"], t["points"], t["max_points"]) for t in kept["trials"]] == [
        (1, 1.0, 2.0),
        (2, 0.0, 2.0),
    ]
    assert kept["trials"][0]["criteria"] == {}
    with pytest.raises(ResultsError, match="wanted one checkpoint, found a, b"):
        reduce_summary(summary())
    with pytest.raises(ResultsError, match="no checkpoint 'c'"):
        reduce_summary(summary(), "c")
    with pytest.raises(ResultsError, match="shard 1/2: join"):
        reduce_summary(summary(Shard(1, 2)), "a")


def test_criteria_of_language_following_are_kept():
    named = settings((1,), tasks=find_tasks(["language"]), brain="model")
    criteria = (
        Criterion("pick up the cup first", "pick up … first", 1.0, 1.0),
        Criterion("place the cup in the sink, alone", "place … in the sink, alone", 0.0, 1.0),
    )
    made = summarize(named, [result(named, t, criteria=criteria) for t in named.trials()])
    (one,) = reduce_summary(made)["trials"]
    assert one["criteria"] == {
        "pick up … first": [1.0, 1.0],
        "place … in the sink, alone": [0.0, 1.0],
    }
    assert first_share(one) == 1.0


def run_folder(tmp_path):
    """A data step of half a core-hour, two stages of 1 and 2, and an evaluation of the second."""

    def step(kind, hours, inputs=(), **more):
        return {"kind": kind, "finished": True, "core_seconds": 3600 * hours,
                "hash": "x", "inputs": dict.fromkeys(inputs, "x"), **more}  # fmt: skip

    def train(hours, inputs, samples, digest):
        settings = {"verb": "train nano_pretrain", "recipe": "rh"}
        done = {"samples": samples, "checkpoint_hash": digest}
        return step("train", hours, inputs, settings=settings, result=done)

    steps = {
        "ep": step("collect", 0.5),
        "a": train(1.0, ["ep"], 30, "da"),
        "b": train(2.0, ["ep", "a"], 70, "db"),
        "points18": step("eval", 9.0, ["b"]),
        "later": step("eval", 0.1, ["b"]) | {"finished": False},
    }
    content = {"plan": "nano_no_wd", "hash": "h", "scale": 0.5, "steps": steps}
    one = settings((1, 2), brain="model", weights=(Weights("b/best", "d"),))
    made = summarize(one, [result(one, t, 1.0, 1.0) for t in one.trials()])
    (tmp_path / "points18").mkdir(parents=True)
    (tmp_path / "points18" / "summary.json").write_text(json.dumps(made))
    (tmp_path / "reproduce.json").write_text(json.dumps(content))
    return tmp_path


def test_a_run_is_reduced_with_its_facts(tmp_path):
    """The cost is that of data and both stages, each once, without the evaluation."""
    found = reduce_run(run_folder(tmp_path))
    assert (found["plan"], found["scale"]) == ("nano_no_wd", 0.5)
    (one,) = found["evaluations"]
    assert (one["step"], one["samples"], one["core_hours"]) == ("points18", 100, 3.5)
    assert one["checkpoint"] == {
        "step": "b",
        "recipe": "nano_pretrain",
        "recipe_hash": "rh",
        "hash": "db",
    }
    assert len(one["trials"]) == 2


def test_evaluations_of_steps_that_were_made_again_are_left_out(tmp_path):
    file = run_folder(tmp_path) / "reproduce.json"
    content = json.loads(file.read_text())
    content["steps"]["a"]["hash"] = "y"  # What b began from is another one now.
    file.write_text(json.dumps(content))
    with pytest.raises(ResultsError, match="no evaluation of its present steps"):
        reduce_run(tmp_path)


def test_evaluations_are_stored_by_name(tmp_path):
    old, new = evaluation([trial(1, 1.0)]), evaluation([trial(1, 2.0)])
    other = evaluation([trial(1, 4.0, mode="human")], "modes18")
    path = store(stored("nano_full", old, other), tmp_path)
    assert store(stored("nano_full", new), tmp_path) == path
    kept = load(tmp_path)["nano_full"]["evaluations"]
    assert len([text for text in path.read_text().splitlines() if '"points": 2.0' in text]) == 1
    assert [(one["step"], one["trials"][0]["points"]) for one in kept] == [
        ("modes18", 4.0),
        ("points18", 2.0),
    ]
    with pytest.raises(ResultsError, match="at scale 1, and h at scale 0.1 .*remove the file"):
        store(stored("nano_full", new) | {"scale": 0.1}, tmp_path)
    path.rename(tmp_path / "other.json")
    with pytest.raises(ResultsError, match="wanted the stored results of the plan 'other'"):
        load(tmp_path)


def test_an_evaluation_without_a_plan_takes_facts(tmp_path, capsys):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "summary.json").write_text(json.dumps(summary()))
    line = ["store", str(tmp_path / "eval"), "--results", str(tmp_path / "r"), "--plan", "mine"]
    assert main(line) == 1
    assert "give all of --plan, --recipe, --samples, --core-hours" in capsys.readouterr().err
    line += ["--recipe", "r", "--samples", "5", "--core-hours", "2", "--checkpoint", "b"]
    assert main(line) == 0
    (one,) = load(tmp_path / "r")["mine"]["evaluations"]
    assert (one["checkpoint"]["hash"], one["core_hours"], one["samples"]) == ("d2", 2.0, 5)
    assert main(["store", str(run_folder(tmp_path / "run")), "--plan", "x"]) == 1
    assert "has the facts" in capsys.readouterr().err
    with pytest.raises(ResultsError, match=r"is not of ./pi05 eval \(KeyError\('recipe'\)"):
        reduce_evaluation(tmp_path / "eval", {"plan": "mine"}, "a")


def test_points_and_paired_differences():
    """All has 4 and 2 of 4 points, the other one less in each home: no spread between pairs."""
    rows = (Row("all", "a"), Row("less", "b"))
    results = {
        "a": stored("a", evaluation([trial(1, 4.0), trial(2, 2.0)])),
        "b": stored("b", evaluation([trial(1, 3.0), trial(2, 1.0), trial(3, 4.0)])),
    }
    first, second = cells_of(results, rows, ROBOT, anything, points_share)
    assert (first.points.mean, first.points.low, first.points.high) == (0.75, 0.5, 1.0)
    found = second.minus(first)
    assert (found.mean, found.low, found.high, found.homes) == (-0.25, -0.25, -0.25, 2)


def test_the_mean_of_tasks_takes_those_of_both():
    rows = (Row("all", "a"), Row("less", "b"))
    beds = [trial(1, 1.0, "bed"), trial(2, 1.0, "bed")]
    results = {
        "a": stored("a", evaluation([trial(1, 4.0), trial(2, 2.0), *beds])),
        "b": stored("b", evaluation([trial(1, 2.0), trial(2, 0.0), trial(1, 3.0, "bed")])),
    }
    cells = cells_of(results, rows, ROBOT, anything, points_share)
    assert [(cell.row.label, cell.task) for cell in cells] == [
        (label, task)
        for label in ("all", "less")
        for task in ("dishes", "bed", "mean of the tasks")
    ]  # fmt: skip
    assert cells[2].points.mean == 0.5 and cells[2].trials == 4  # 0.75 and 0.25.
    # Home 1: (−0.5 + 0.5) / 2; home 2: dishes and bed of the one, dishes of the other.
    assert cells[5].minus(cells[2]).mean == pytest.approx((0.0 + (0.0 - 0.375)) / 2)


def test_results_that_do_not_fit_together():
    row = Row("all", "a")
    one = evaluation([trial(1, 4.0)])
    for other, message in (
        (
            evaluation([trial(2, 1.0)], "more", "bb"),
            "points18, more have .* different checkpoints",
        ),
        (evaluation([trial(1, 1.0)], "more"), r"the trial \('dishes', 'full', 1, 0\) is .* twice"),
    ):
        with pytest.raises(ResultsError, match=message):
            evaluations_of({"a": stored("a", one, other)}, row, ROBOT, anything)
    # Another robot, or weights drawn at random, are no part of the row.
    others = [evaluation([trial(1, 1.0)], "x", "bb", platform="mobile_19dof"),
              evaluation([trial(1, 1.0)], "y", brain="random")]  # fmt: skip
    assert evaluations_of({"a": stored("a", one, *others)}, row, ROBOT, anything) == [one]
    assert first_share(trial(1, 0.0, first=1.0)) == 1.0


def test_the_page_of_modes(tmp_path):
    modes = evaluation([trial(1, 1.0, mode="implicit"), trial(2, 1.0, mode="implicit")], "modes18")
    page = page_of(
        tmp_path,
        "modes",
        stored("nano_full", evaluation([trial(1, 4.0), trial(2, 2.0)]), modes),
        stored("nano_no_hl", evaluation([trial(1, 0.0, mode="no_hl")], digest="cc", samples=90)),
    )
    assert line(page, "full", "dishes") == [
        "75.0 %", "50.0 to 100.0", "–", "–", "2, 2", "about 80 %, highest",
    ]  # fmt: skip
    assert line(page, "implicit HL", "dishes") == [
        "25.0 %", "25.0 to 25.0", "-50.0", "-75.0 to -25.0", "2, 2", "about 70 %, second",
    ]  # fmt: skip
    assert line(page, "human HL", "–")[0] == "not measured"
    assert "**The budgets differ:** from 90 to 100 samples" in page
    assert "**The homes of the trials differ:** 1, 1-2." in page
    assert line(page, "no HL", "nano_no_hl, 1") == [
        "points18", "90", "1.50", "`cc`", "r", "ideal", "1",
    ]  # fmt: skip


def test_the_page_of_homes_and_equal_budgets(tmp_path):
    page = page_of(
        tmp_path,
        "homes",
        stored("nano_homes_104", evaluation([trial(1, 4.0)])),
        stored("nano_homes_3", evaluation([trial(1, 1.0), trial(1, 4.0, "language")])),
    )
    assert line(page, "3 homes", "dishes")[2] == "-75.0"
    assert line(page, "53 homes", "–")[-1] == "not stated"
    assert "All variants are trained on 100 samples." in page and "differ:" not in page


def test_the_page_of_language(tmp_path):
    trials = [trial(1, 2.0, "language", first=1.0), trial(1, 0.0, "language_unseen")]
    page = page_of(tmp_path, "language", stored("nano_full", evaluation([*trials, trial(1, 4.0)])))
    assert line(page, "all sources", "seen")[:3] == ["100.0 %", "100.0 to 100.0", "50.0 %"]
    assert line(page, "all sources", "held out")[0] == "0.0 %"
    store(stored("nano_homes_3", evaluation(trials)), tmp_path / "results")
    page = page_of(tmp_path, "language")
    assert line(page, "3 homes", "seen")[2] == "50.0 %"
    assert "3 homes" not in (tmp_path / "docs" / "language.svg").read_text()


def test_the_page_of_the_curve(tmp_path):
    cheap = evaluation([trial(1, 1.0)], "first18", "bb", core_hours=0.25)
    page = page_of(tmp_path, "curve", stored("nano", evaluation([trial(1, 4.0)]), cheap))
    rows = re.findall(r"^\| (\d\S+) \| (\S+, \S+) \|.*?(\d+\.\d %)", page, re.MULTILINE)
    assert rows == [("0.25", "nano, first18", "25.0 %"), ("1.50", "nano, points18", "100.0 %")]


def test_equal_results_give_equal_bytes(tmp_path):
    pictures = []
    for name in ("a", "b"):
        page_of(tmp_path / name, "ablations", stored("nano_full", evaluation([trial(1, 4.0)])))
        pictures.append((tmp_path / name / "docs" / "ablations.svg").read_bytes())
    assert pictures[0] == pictures[1]


def test_nothing_is_stored(tmp_path, capsys):
    for word in (*TABLES, "curve"):
        line = [word, "--results", str(tmp_path), "--out", str(tmp_path / "x.md")]
        assert main(line) == 1
        assert "there is no result" in capsys.readouterr().err
    assert not (tmp_path / "x.md").exists()


def test_rows_name_plans_and_modes():
    rows = [row for table in TABLES.values() for row in table.rows]
    assert {row.plan for row in rows} <= set(plan_names())
    assert {row.mode for row in rows} <= set(MODES)
    for table in TABLES.values():
        assert len({row.label for row in table.rows}) == len(table.rows)
