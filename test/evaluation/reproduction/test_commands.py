"""Steps at a scale: sizes, command lines, hashes, and what is found wrong before anything runs."""

import pytest

from pi05_ros.cli.evaluate.options import parser as eval_parser
from pi05_ros.cli.train import parser as train_parser
from pi05_ros.evaluation.reproduction.commands import works
from pi05_ros.evaluation.reproduction.plan import (
    CollectStep,
    Costs,
    EvalStep,
    Plan,
    PlanError,
    ScenesStep,
    Step,
    TrainStep,
    load_plan,
)
from pi05_ros.evaluation.reproduction.scaling import homes_text, scaled, scaled_homes
from pi05_ros.evaluation.reproduction.work import all_inputs, digests, plan_digest

DATA = {"MM": ("ep",), "HL": ("ep",), "WD": ("scenes",)}
SHORT = ("validation.samples=100", "saving.every_steps=50", "optimizer.warmup_steps=30")


def plan_of(**changed):
    steps = {
        "scenes": Step(scenes=ScenesStep("100-139", room="kitchen", sets=4)),
        "ep": Step(collect=CollectStep("0-9,20", noise=0.01, restarts=True, picture_rate=5.0)),
        "one": Step(train=TrainStep("smoke_pretrain", 200, paths=DATA, settings=SHORT)),
        "again": Step(collect=CollectStep("0-9", visited="one")),
        "points": Step(eval=EvalStep("10000-10019", "one/last", mode="full,human")),
    }
    return Plan("p", steps | changed, costs=Costs(0.5, 5.0, 7.0, 0.1, 10.0))


def test_counts_and_homes():
    assert [scaled(20, 0.1, 3), scaled(2, 0.1, 3), scaled(150, 0.1, 1)] == [3, 2, 15]
    assert homes_text(scaled_homes("1-3,7,9-11", 0.72, 1)) == "1-3,7,9"
    for text in ("", "a", "5-2"):
        with pytest.raises(PlanError, match="wanted homes as in 0-99"):
            scaled_homes(text, 1.0, 1)


def test_sizes_and_costs():
    """Sets 40 · 4, episodes 11, samples 200 · 16, episodes 10, trials 20 · 2."""
    found = works(plan_of())
    assert [work.amount for work in found] == [160, 11, 3200, 10, 40]
    assert [work.core_seconds for work in found] == pytest.approx([80, 55, 320, 70, 400])
    tenth = works(plan_of(), 0.1)
    assert [work.amount for work in tenth] == [16, 1, 20 * 16, 1, 6]


def test_command_lines():
    scenes, episodes, one, again, points = (work.arguments(2) for work in works(plan_of(), 0.5))
    assert " ".join(scenes) == (
        "homes scenes --homes 100-119 --platform mobile_18dof --room kitchen --sets 4 "
        "--difficulty ideal --seed 0 --jobs 2 --out scenes"
    )
    assert " ".join(episodes) == (
        "homes collect --homes 0-5 --platform mobile_18dof --task dishes --max-seconds 120 "
        "--noise 0.01 --wrong-chunks 0 --other-tasks 0 --restarts --picture-rate 5 "
        "--difficulty ideal --seed 0 --jobs 2 --out ep"
    )
    parsed = train_parser().parse_args(one[1:])
    assert parsed.recipe == "smoke_pretrain" and str(parsed.out) == "one"
    # The later of two settings of one key counts.
    assert dict(setting.split("=", 1) for setting in parsed.settings) == {
        "steps": "100",
        "sources.MM.paths": "[ep]",
        "sources.HL.paths": "[ep]",
        "sources.WD.paths": "[scenes]",
        "optimizer.warmup_steps": "15",
        "saving.every_steps": "25",
        "validation.samples": "50",
    }
    assert again[again.index("--visited") + 1] == "one/best"
    asked = eval_parser().parse_args(points[1:])
    assert (asked.checkpoint, asked.homes) == ("one/last", list(range(10000, 10010)))


def test_several_episodes_of_a_home_and_an_external_planner():
    ep, points = works(
        Plan(
            "p",
            {
                "ep": Step(collect=CollectStep("0-2", episodes=35)),
                "points": Step(
                    eval=EvalStep("0-2", brain="random", mode="external", planner="fixed_list")
                ),
            },
            costs=Costs(episode=2.0),
        )
    )
    assert (ep.amount, ep.core_seconds) == (105, 210.0)
    assert ep.arguments(1)[ep.arguments(1).index("--episodes") + 1] == "35"
    asked = eval_parser().parse_args(points.arguments(1)[1:])
    assert asked.planner == "fixed_list"
    # Hashes of plans without these keys stay as they were.
    assert "--episodes" not in works(plan_of())[1].options
    assert "--planner" not in works(plan_of())[4].options


def test_a_hash_follows_settings_and_inputs():
    before, again = digests(works(plan_of())), digests(works(plan_of()))
    assert before == again
    other = digests(works(plan_of(scenes=Step(scenes=ScenesStep("100-139", sets=3)))))
    changed = {name for name in before if before[name] != other[name]}
    assert changed == {"scenes", "one", "again", "points"}
    assert plan_digest(works(plan_of())) != plan_digest(works(plan_of(), 0.5))
    assert all_inputs(works(plan_of()), "again") == ["scenes", "ep", "one"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step(scenes=ScenesStep("0-9", room="attic")), "no home has a room 'attic'"),
        (Step(scenes=ScenesStep("20000")), "are for evaluation"),
        (Step(collect=CollectStep("0-9", noise=2.0)), "noise: wanted a share"),
        (Step(collect=CollectStep("0-9", platform="mobile_17dof")), "mobile_17dof"),
        (Step(train=TrainStep("smoke_pretrian", 5)), "did you mean 'smoke_pretrain'"),
        (Step(train=TrainStep("nano_pretrain", 5)), "source MM .* has a weight and no data"),
        (Step(train=TrainStep("smoke_pretrain", 5, settings=("sead=1",))), "did you mean 'seed'"),
        (Step(train=TrainStep("smoke_pretrain", 5, paths={"WD": ("ep",)})),
         "source WD is of kind WD: wanted steps scenes, found 'ep', a step collect"),
        (Step(eval=EvalStep("0-9")), "the brain model needs a training step"),
        (Step(eval=EvalStep("0-9", "one", brain="expert")), "do not go together"),
        (Step(eval=EvalStep("0-9", "one", mode="external", planner="fixed_lst")),
         "did you mean 'fixed_list'"),
        (Step(eval=EvalStep("0-9", "one", planner="oracle")), "the mode external and --planner"),
        (Step(eval=EvalStep("0-9", "one", task="dishs")), "there is no task 'dishs'"),
        (Step(eval=EvalStep("0-9", "one", mode="ful")), "there is no mode 'ful'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_first(step, message):
    with pytest.raises(PlanError, match=f"plan 'p': x: .*{message}"):
        works(plan_of(x=step))


@pytest.mark.parametrize("scale", [0.0, 1.5, -1.0])
def test_wrong_scales(scale):
    with pytest.raises(PlanError, match="wanted a share above 0"):
        works(plan_of(), scale)


def test_the_shipped_plan_can_run():
    found = {work.name: work for work in works(load_plan("nano"), 0.1)}
    assert sum(work.core_seconds for work in found.values()) < 2 * 3600  # On two cores: an hour.
    assert found["again"].inputs[0] == "posttrain"
    # Training again keeps the expert.
    assert "model.fresh_expert=false" in found["again"].options["--set"]
