"""The command line of each step of a plan at a scale, checked before the first one runs."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.evaluation.collection.scenes import ALL, SceneSettings
from pi05_ros.evaluation.collection.settings import CollectSettings, check_homes, check_room
from pi05_ros.evaluation.reproduction.plan import (
    CollectStep,
    EvalStep,
    Plan,
    PlanError,
    ScenesStep,
    Step,
    TrainStep,
    weights_path,
)
from pi05_ros.evaluation.reproduction.scaling import (
    LEAST_EVAL_HOMES,
    homes_text,
    scaled_homes,
    scaled_training,
)
from pi05_ros.evaluation.reproduction.work import Work
from pi05_ros.evaluation.trials.external import REGISTERED
from pi05_ros.evaluation.trials.settings import EvaluationSettings, Weights
from pi05_ros.evaluation.trials.tasks import find_tasks
from pi05_ros.platforms.platform import load_platform
from pi05_ros.training.recipes.files import load_recipe, recipe_hash
from pi05_ros.training.recipes.recipe import Recipe

_SMOKE = "smoke:"  # Beginning of the paths of data that a recipe makes itself.


def works(plan: Plan, scale: float = 1.0) -> list[Work]:
    """Return the steps of a plan in their order, checked as far as can be without running them.

    Args:
        plan: The plan.
        scale: Share of the homes and of the steps of training, above 0 and at most 1.

    Raises:
        PlanError: The scale or a step's settings are not valid.
    """
    if not 0.0 < scale <= 1.0:
        raise PlanError(f"scale {scale:g}: wanted a share above 0 and at most 1")
    found = []
    for name in plan.order():
        try:
            found.append(_work(plan, name, plan.steps[name], scale))
        except (Pi05Error, ValueError) as error:
            raise PlanError(f"plan '{plan.name}': {name}: {error}") from error
    return found


def _work(plan: Plan, name: str, step: Step, scale: float) -> Work:
    if step.scenes is not None:
        return _scenes(plan, name, step.scenes, scale)
    if step.collect is not None:
        return _collect(plan, name, step.collect, scale)
    if step.train is not None:
        return _train(plan, name, step.train, scale)
    assert step.eval is not None  # Step checks that one of them is given.
    return _eval(plan, name, step.eval, scale)


def _scenes(plan: Plan, name: str, step: ScenesStep, scale: float) -> Work:
    homes = scaled_homes(step.homes, scale, 1)
    check_homes(homes)
    if step.room != ALL:
        check_room(step.room, homes)
    settings = SceneSettings(
        step.platform,
        step.sets,
        room=step.room,
        difficulty=step.difficulty,
        cameras=step.cameras,
    )
    settings.cameras_of(load_platform(step.platform))
    options = {
        "--homes": homes_text(homes),
        "--platform": _given(step.platform),
        "--room": step.room,
        "--sets": str(step.sets),
        "--difficulty": step.difficulty,
        **({"--cameras": step.cameras} if step.cameras else {}),
        "--seed": str(step.seed),
    }
    sets = len(homes) * step.sets
    cost = sets * plan.costs.scene_set
    return Work(name, "scenes", ("homes", "scenes"), options, sets, "picture sets", cost)


def _collect(plan: Plan, name: str, step: CollectStep, scale: float) -> Work:
    homes = scaled_homes(step.homes, scale, 1)
    check_homes(homes)
    weights = {
        f"--{key}": weights_path(reference)
        for key, reference in (("visited", step.visited), ("verbal", step.verbal))
        if reference
    }
    settings = CollectSettings(
        step.platform,
        step.task,
        max_seconds=step.max_seconds,
        noise=step.noise,
        wrong_chunks=step.wrong_chunks,
        restarts=step.restarts,
        other_tasks=step.other_tasks,
        visited=weights.get("--visited", ""),
        verbal=weights.get("--verbal", ""),
        difficulty=step.difficulty,
        picture_rate=step.picture_rate,
    )
    check_room(settings.for_home(homes[0], step.seed).room(), homes)
    load_platform(step.platform)
    options = {
        "--homes": homes_text(homes),
        "--platform": _given(step.platform),
        "--task": step.task,
        "--max-seconds": f"{step.max_seconds:g}",
        "--noise": f"{step.noise:g}",
        "--wrong-chunks": f"{step.wrong_chunks:g}",
        "--other-tasks": f"{step.other_tasks:g}",
        **({"--restarts": ""} if step.restarts else {}),
        **weights,
        **({"--picture-rate": f"{step.picture_rate:g}"} if step.picture_rate else {}),
        "--difficulty": step.difficulty,
        "--seed": str(step.seed),
        **({"--episodes": str(step.episodes)} if step.episodes > 1 else {}),
    }
    count = len(homes) * step.episodes
    each = plan.costs.visited_episode if weights else plan.costs.episode
    inputs = _inputs(plan.steps[name])
    return Work(
        name,
        "collect",
        ("homes", "collect"),
        options,
        count,
        "episodes",
        count * each,
        inputs,
    )


def _train(plan: Plan, name: str, step: TrainStep, scale: float) -> Work:
    settings = [f"steps={step.steps}", *step.settings]
    for source, steps in step.paths.items():
        settings.append(f"sources.{source}.paths=[{', '.join(steps)}]")
    if step.init:
        settings.append(f"model.init='{weights_path(step.init)}'")
    settings += scaled_training(load_recipe(step.recipe, settings), scale)
    recipe = load_recipe(step.recipe, settings)
    _check_sources(plan, step, recipe)
    samples = recipe.steps * recipe.batch.size
    return Work(
        name,
        "train",
        ("train", _given(step.recipe)),
        {"--set": tuple(settings)},
        samples,
        "samples",
        samples * plan.costs.sample,
        _inputs(plan.steps[name]),
        {"recipe": recipe_hash(recipe), "batch": recipe.batch.size},
    )


def _check_sources(plan: Plan, step: TrainStep, recipe: Recipe) -> None:
    """Check that every source with a weight has data of its kind from steps.

    Raises:
        PlanError: One has none, or data of another kind.
    """
    for name, source in recipe.active_sources().items():
        if all(path.startswith(_SMOKE) for path in source.paths) and source.paths:
            continue
        if not step.paths.get(name):
            raise PlanError(
                f"source {name} of '{recipe.name}' has a weight and no data: wanted "
                f"'paths: {{{name}: [STEP]}}', or 'settings: [sources.{name}.weight=0]'"
            )
        wanted = "scenes" if source.kind == "WD" else "collect"
        for used in step.paths[name]:
            if plan.steps[used].kind != wanted:
                raise PlanError(
                    f"source {name} is of kind {source.kind}: wanted steps {wanted}, found "
                    f"'{used}', a step {plan.steps[used].kind}"
                )


def _eval(plan: Plan, name: str, step: EvalStep, scale: float) -> Work:
    homes = scaled_homes(step.homes, scale, LEAST_EVAL_HOMES)
    if bool(step.checkpoint) != (step.brain == "model"):
        raise PlanError(
            f"the brain {step.brain} and the checkpoint '{step.checkpoint}' do not go together: "
            "the brain model needs a training step, others take none"
        )
    path = weights_path(step.checkpoint) if step.checkpoint else ""
    platform = load_platform(step.platform)
    words = [step.task] if " " in step.task else [word.strip() for word in step.task.split(",")]
    tasks = find_tasks(words, step.seconds or None)
    if step.planner and step.planner not in REGISTERED:
        raise PlanError(
            f"planner '{step.planner}'{did_you_mean(step.planner, REGISTERED)}: wanted one of "
            f"{', '.join(REGISTERED)}; planners of files are for ./pi05 eval"
        )
    modes = tuple(mode.strip() for mode in step.mode.split(","))
    trials = EvaluationSettings(
        tasks,
        tuple(homes),
        modes,
        step.brain,
        (Weights(path),),
        platform.name,
        step.seed,
        planner=step.planner,
        difficulty=step.difficulty,
    ).trials()
    options = {
        "--task": step.task,
        "--homes": homes_text(homes),
        "--mode": step.mode,
        **({"--planner": step.planner} if step.planner else {}),
        "--brain": step.brain,
        **({"--checkpoint": path} if path else {}),
        "--platform": _given(step.platform),
        "--difficulty": step.difficulty,
        **({"--seconds": f"{step.seconds:g}"} if step.seconds else {}),
        "--seed": str(step.seed),
        "--video": "none",
    }
    cost = len(trials) * plan.costs.trial
    inputs = _inputs(plan.steps[name])
    return Work(name, "eval", ("eval",), options, len(trials), "trials", cost, inputs)


def _given(reference: str) -> str:
    """Return a name as it is, and the path of a file as absolute: steps run in their folder."""
    is_path = "/" in reference or reference.endswith((".yaml", ".yml"))
    return str(Path(reference).expanduser().resolve()) if is_path else reference


def _inputs(step: Step) -> tuple[str, ...]:
    return tuple(step.uses())
