"""What a run measured before its first step stays, whatever the data become."""

import numpy as np
from fakes.model_bags import PLATFORM, episode_bag

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.training.preparation.preparation import prepare
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.runs.beginning import begin_checkpoint
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.measured import keep_measured, wait_for_measured, with_measured


def test_more_data_change_neither_statistics_nor_tokens(tmp_path):
    bags = tmp_path / "bags"
    episode_bag(bags / "one", 120, home="1", outcome="success")
    off = [f"sources.{name}.weight=0" for name in ("HL", "WD")]
    recipe = load_recipe(
        "smoke_posttrain",
        ["model.preset=tiny", "validation.share=0", *off, f"sources.MM.paths=['{bags}']"],
    )
    run, cache = RunFolder(tmp_path / "run"), CacheFolder(tmp_path / "cache")
    run.begin(recipe, {})
    begun = begin_checkpoint(recipe)
    assert with_measured(run, recipe, begun) == (recipe, begun)
    first = prepare(recipe, begun, cache, print).checkpoint
    keep_measured(run, first)
    wait_for_measured(run)

    def spoil(actions):
        actions[:] = PLATFORM.lower + 0.9 * (PLATFORM.upper - PLATFORM.lower)
        actions[::2] = PLATFORM.lower

    episode_bag(bags / "two", 120, home="2", outcome="success", spoil=spoil)
    settled, again = with_measured(run, recipe, begun)
    second = prepare(settled, again, cache, print).checkpoint
    assert second.norm_stats == first.norm_stats and second.fast == first.fast
    anew = prepare(recipe, begun, cache, print).checkpoint
    assert anew.norm_stats != first.norm_stats and anew.fast != first.fast
    keep_measured(run, anew)  # What is kept is not replaced.
    assert with_measured(run, recipe, begun)[1].norm_stats == first.norm_stats
    assert np.isfinite(first.norm_stats[PLATFORM.name].dimensions[0].action_q01)
