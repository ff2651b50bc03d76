"""Plans: strict loading, bases, the order of steps."""

import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.evaluation.reproduction.plan import (
    Plan,
    PlanError,
    ScenesStep,
    Step,
    load_plan,
    plan_names,
    weights_path,
)

TWO = """
steps:
  scenes: {scenes: {homes: 0-9}}
  ep: {collect: {homes: 0-9, noise: 0.01}}
  one: {train: {recipe: smoke_pretrain, steps: 10, paths: {WD: [scenes], MM: [ep], HL: [ep]}}}
"""


def load(tmp_path, text, name="mine"):
    file = tmp_path / f"{name}.yaml"
    file.write_text(text)
    return load_plan(str(file))


@pytest.mark.parametrize("name", plan_names())
def test_shipped_plans_load(name):
    plan = load_plan(name)
    assert plan.name == name and plan.description


def test_a_base_whose_keys_are_replaced_and_a_step_that_is_left_out(tmp_path):
    load(tmp_path, TWO, "below")
    text = """
base: below.yaml
steps:
  one: {train: {steps: 5, paths: {WD: []}}}
  scenes: null
"""
    plan = load(tmp_path, text)
    assert plan.name == "mine" and list(plan.steps) == ["ep", "one"]
    train = plan.steps["one"].train
    assert (train.recipe, train.steps) == ("smoke_pretrain", 5)
    assert train.paths == {"WD": (), "MM": ("ep",), "HL": ("ep",)}
    assert plan.steps["ep"].collect.noise == 0.01


def test_steps_stand_after_those_that_they_use(tmp_path):
    text = """
steps:
  points: {eval: {homes: 0-9, checkpoint: b/last}}
  b: {train: {recipe: smoke_posttrain, steps: 1, init: a, paths: {MM: [ep]}}}
  a: {train: {recipe: smoke_pretrain, steps: 1}}
  more: {scenes: {homes: 0-1}}
  ep: {collect: {homes: 0-1, visited: a}}
"""
    assert load(tmp_path, text).order() == ("a", "ep", "b", "points", "more")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{}", "wanted one of scenes, collect, train, eval, found none"),
        ("{scenes: {homes: 0-1}, eval: {homes: 0-1}}", "found scenes and eval"),
        ("{scenes: {homes: 0-1, set: 3}}", "unknown key 'set'; did you mean 'sets'"),
        ("{collect: {homes: 0-1, episodes: 0}}", "episodes 0 is below 1"),
        ("{scenes: {homes: 5}}", "wanted text, found 5"),
        ("{collect: {homes: 0-1, visited: on}}", "wanted text, found True"),
        ("{collect: {homes: 0-1, visited: ep}}", "'ep' is a step collect, wanted train"),
        ("{eval: {homes: 0-1, checkpoint: onne}}", "there is no step 'onne'; did you mean 'one'"),
        ("{train: {recipe: pretrain, steps: 1, init: x}}", "a circle: x -> x"),
        ("{train: {recipe: pretrain, steps: 0}}", "steps 0 is below 1"),
        ("{train: {recipe: pretrain, steps: 1, paths: {MM: [one]}}}",
         "'one' is a step train, wanted scenes or collect"),
    ],
)  # fmt: skip
def test_wrong_steps(tmp_path, step, message):
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, f"{TWO}  x: {step}\n")


def test_names_and_references():
    with pytest.raises(ValueError, match="'../x' is not a name"):
        Plan("p", {"../x": Step(scenes=ScenesStep("0-1"))})
    assert (weights_path("a"), weights_path("a/last")) == ("a/best", "a/last")
    with pytest.raises(PlanError, match="wanted STEP, or STEP/best or STEP/last"):
        weights_path("a/first")
    with pytest.raises(ConfigError, match="did you mean 'nano'"):
        load_plan("nanoo")
