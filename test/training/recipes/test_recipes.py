"""Recipe files: bases, settings, errors, and the shipped recipes."""

import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.training.recipes.files import load_recipe, recipe_hash, recipe_names, resolved


@pytest.mark.parametrize("name", recipe_names())
def test_a_resolved_recipe_is_the_recipe(name, tmp_path):
    recipe = load_recipe(name)
    file = tmp_path / "resolved.yaml"
    file.write_text(resolved(recipe))
    again = load_recipe(str(file))
    assert again == recipe and recipe_hash(again) == recipe_hash(recipe)
    assert recipe.name == name and recipe.description


def test_the_paper():
    pretrain, posttrain = load_recipe("pretrain"), load_recipe("posttrain")
    assert (pretrain.steps, pretrain.loss.alpha, pretrain.has_expert) == (280_000, 0.0, False)
    assert (posttrain.steps, posttrain.loss.alpha) == (80_000, 10.0)
    assert not posttrain.loss.insulated and posttrain.model.fresh_expert
    assert set(pretrain.active_sources()) == {"MM", "ME", "CE", "HL", "WD"}
    assert set(posttrain.active_sources()) == {"MM", "ME", "HL", "VI", "WD"}


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("pi0", {"MM", "ME"}),
        ("pi0_fast_flow", {"MM", "ME"}),
        ("no_wd", {"MM", "ME", "HL", "VI"}),
        ("no_me", {"MM", "HL", "VI", "WD"}),
        ("no_vi", {"MM", "ME", "HL", "WD"}),
        ("no_hl", {"MM", "ME", "WD"}),
        ("no_ce", {"MM", "ME", "HL", "WD"}),
        ("no_ce_me", {"MM", "HL", "WD"}),
    ],
)
def test_an_ablation_leaves_sources_out(name, sources):
    assert set(load_recipe(name).active_sources()) == sources


@pytest.mark.parametrize("name", recipe_names())
def test_the_language_model_is_trained(name):
    """With insulation it learns from cross-entropy alone, so there has to be some."""
    recipe = load_recipe(name)
    has_text = any(
        s.fast or s.kind in ("HL", "VI", "WD") for s in recipe.active_sources().values()
    )
    assert has_text or not recipe.loss.insulated


def test_settings_replace_keys():
    recipe = load_recipe("finetune", ["batch.size=8", "sources.robot.paths=[a, b]", "seed=3"])
    assert recipe.batch.size == 8 and recipe.seed == 3
    assert recipe.sources["robot"].paths == ("a", "b")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (["batch.sise=8"], "unknown key 'sise'; did you mean 'size'"),
        (["batch.size"], "wanted KEY=VALUE"),
        (["batch.size=0"], "size 0 is below 1"),
        (["steps.more=1"], "'steps' has no keys below it"),
        (["loss.alpha=1"], "stage pretrain has no expert"),
        (["sources.XX={kind: XX}"], "wanted one of MM, ME, CE, HL, WD, VI, found 'XX'"),
        (["sources.MM.weight=-1"], "weight -1.0 is below 0"),
        (["seed=-1"], "seed -1 is not from 0"),
        (["model.seed=-1"], "seed -1 is not from 0"),
        (["model.lora_rank=-1"], "lora_rank -1 is below 0"),
        (["model.history=2"], "unknown key 'history'"),
        (["optimizer.beta2=1"], "beta2 1.0 is not from 0 to below 1"),
        (["optimizer.ema=1"], "ema 1.0 is not from 0 to below 1"),
        (["max_bad_share=-1"], "max_bad_share -1.0 is not from 0 to 1"),
        (["validation.samples=0"], "samples 0 is below 1"),
        (["optimizer.learning_rate=.nan"], "wanted a finite number"),
        (["optimizer.learning_rate=1e999"], "wanted a finite number"),
        (["batch.size=true"], "wanted a whole number, found True"),
        (["batch.size=1e3"], "wanted a whole number, found '1e3'"),
        (["sources.MM.paths=a"], "wanted a list, found 'a'"),
        (["sources={1: {kind: MM}}"], "the key 1 is not a word"),
        (["sources.MM=3"], "wanted a mapping of SourceRecipe, found 3"),
    ],
)
def test_a_wrong_setting_is_refused(settings, text):
    with pytest.raises(ConfigError) as error:
        load_recipe("pretrain", settings)
    assert text in str(error.value)


def test_exponents_are_numbers_without_a_point_too():
    recipe = load_recipe("pretrain", ["optimizer.learning_rate=1e-4", "optimizer.epsilon=2.5E-7"])
    assert (recipe.optimizer.learning_rate, recipe.optimizer.epsilon) == (1e-4, 2.5e-7)


def test_the_hash_is_of_what_is_computed_and_not_of_how():
    hashes = {
        setting: recipe_hash(load_recipe("pretrain", [setting]))
        for setting in ("seed=0", "batch.micro=2", "batch.workers=7", "saving.keep_last=9")
    }
    assert len(set(hashes.values())) == 1
    for setting in ("seed=1", "batch.size=8", "batch.precision=float32", "saving.every_steps=7"):
        assert recipe_hash(load_recipe("pretrain", [setting])) not in hashes.values()


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'pretrain'"):
        load_recipe("pretrian")


def test_a_recipe_that_is_its_own_base_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("base: b.yaml\n")
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(ConfigError, match="is its own base"):
        load_recipe(str(tmp_path / "a.yaml"))


@pytest.mark.parametrize("name", recipe_names())
def test_the_language_model_has_a_gradient(name):
    recipe = load_recipe(name)
    sources = recipe.active_sources().values()
    says = any(s.kind in ("HL", "VI", "WD") or s.fast for s in sources)
    assert says or (recipe.has_expert and not recipe.loss.insulated)
