"""The plans of the tables: what each leaves out, at equal budgets."""

import dataclasses

import pytest

from pi05_ros.evaluation.reproduction.commands import works
from pi05_ros.evaluation.reproduction.plan import load_plan, plan_names
from pi05_ros.evaluation.reproduction.work import all_inputs, digests
from pi05_ros.model.config import load_preset
from pi05_ros.training.recipes.files import load_recipe

NAMES = [name for name in plan_names() if name.startswith("nano_")]
HOMES = {3: 105, 12: 108, 22: 110, 53: 106, 104: 104}  # Episodes of each.


def steps_of(name):
    return {work.name: work for work in works(load_plan(name))}


def last_training(name):
    """The recipe of the weights that are evaluated, and those of the stages before it."""
    found = steps_of(name)
    trained = all_inputs(list(found.values()), "points18")
    return [
        load_recipe(found[one].verb[1], list(found[one].options["--set"]))
        for one in trained
        if found[one].kind == "train"
    ]


def active(recipe):
    return set(recipe.active_sources())


def test_all_plans_are_there():
    kinds = ("full", "no_hl", "no_wd", "no_ce", "no_me", "no_ce_me", "no_vi", "pi0",
             "pi0_fast_flow", *(f"homes_{count}" for count in HOMES))  # fmt: skip
    assert set(NAMES) == {f"nano_{kind}" for kind in kinds}


@pytest.mark.parametrize("name", NAMES)
def test_equal_samples_and_trials(name):
    """48,000 of pre-training, 48,000 and 24,000 of post-training; the same 20 homes."""
    found = steps_of(name)
    needed = all_inputs(list(found.values()), "points18")
    assert sum(found[one].amount for one in needed if found[one].kind == "train") == 120_000
    assert found["points18"].options["--homes"] == "10020-10039"
    assert found["language18"].options["--task"] == "language,language_unseen"
    assert works(load_plan(name), 0.1)  # Smaller sizes are valid too.


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("full", set()), ("no_wd", {"WD"}), ("no_ce", {"CE"}), ("no_me", {"ME"}),
        ("no_ce_me", {"CE", "ME"}), ("no_vi", {"VI"}), ("no_hl", {"HL", "VI"}),
        ("pi0_fast_flow", {"HL", "VI", "WD"}),
    ],
)  # fmt: skip
def test_what_is_left_out(name, left_out):
    """Sources as in the recipe of the same name for the published size, in all stages."""
    first, second, third = last_training(f"nano_{name}")
    assert active(first) == {"MM", "ME", "CE", "HL", "WD"} - left_out
    assert active(second) == {"MM", "ME", "HL", "WD"} - left_out
    assert active(third) == {"MM", "ME", "HL", "WD", "VI"} - left_out
    assert [one.model.fresh_expert for one in (second, third)] == [True, False]
    by_task = name in ("no_hl", "pi0_fast_flow")
    for recipe in (first, second, third):
        for kind in ("MM", "ME", "CE"):
            if kind in active(recipe):
                assert recipe.sources[kind].subtasks is not by_task


def test_pi0_is_the_flow_alone_from_the_beginning():
    (only,) = last_training("nano_pi0")
    assert active(only) == {"MM", "ME"} and not only.model.init
    for source in only.active_sources().values():
        assert not source.fast and not source.subtasks and source.flow
    assert only.model.preset == "nano_plain"


def test_baselines_have_no_heat_maps():
    assert last_training("nano_pi0_fast_flow")[0].model.preset == "nano_plain"
    nano = load_preset("nano")
    assert load_preset("nano_plain") == dataclasses.replace(
        nano, name="nano_plain", grounding=None
    )


def test_modes_of_the_baselines():
    for name in ("no_hl", "pi0", "pi0_fast_flow"):
        assert steps_of(f"nano_{name}")["points18"].options["--mode"] == "no_hl"
    assert steps_of("nano_full")["modes18"].options["--mode"] == "implicit,human,external"


@pytest.mark.parametrize(("count", "episodes"), HOMES.items())
def test_homes(count, episodes):
    found = steps_of(f"nano_homes_{count}")
    for name in ("ep18", "ep18r"):
        assert found[name].options["--homes"] == f"0-{count - 1}"
        assert found[name].amount == episodes
    assert 52 <= found["verbal18"].amount <= 66
    full = steps_of("nano_full")
    same = {"scenes18", "me14", "ce8"} if count < 104 else set(found)
    mine, other = digests(list(found.values())), digests(list(full.values()))
    assert {name for name in found if mine[name] == other[name]} == same
