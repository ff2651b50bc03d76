"""FAST tokenizers of mixtures: what they are fitted to, what they cut off, what they cost."""

import dataclasses
import pickle

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering
from fakes.model_bags import episode_bag

from pi05_ros.cli.main import main
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import DimensionStats, NormStats
from pi05_ros.model.text.fast import FastTokenizer
from pi05_ros.model.text.tokenizer import ByteTokenizer
from pi05_ros.training.preparation.episodes import SourceEpisodes
from pi05_ros.training.preparation.fast_fitting import (
    Chunks,
    draw_chunks,
    fast_line,
    fast_uses,
    fit_fast,
    fit_for_recipe,
)
from pi05_ros.training.recipes.recipe import AugmentationRecipe, Recipe, SourceRecipe
from pi05_ros.training.sources.encoding import Encoder, RobotVectors


def stats(*names):
    """Platform units are the model's: percentiles at -1 and 1."""
    return NormStats(tuple(DimensionStats(n, "rad", -1.0, 1.0, -1.0, 1.0) for n in names))


def episode(platform, names, rows=120, seed=0):
    facts = layout_facts(names, ("rad",) * len(names), platform, outcome="success")
    return wandering(rows, seed, len(names), facts=facts)


def source(*episodes):
    return SourceEpisodes(episodes, (), FilterCounts.of([]))


MIXTURE = Recipe(
    "mixed",
    "pretrain",
    1,
    loss=dataclasses.replace(Recipe("x", "finetune", 1).loss, alpha=0.0),
    sources={
        "MM": SourceRecipe("MM", 1.0),
        "CE": SourceRecipe("CE", 1.0),
        "flow": SourceRecipe("ME", 1.0, fast=False),
        "HL": SourceRecipe("HL", 1.0),
    },
)
TWO, THREE = ("a", "b"), ("c", "d", "e")
STATS = {"wide": stats(*THREE), "narrow": stats(*TWO)}


def test_every_robot_has_its_own_width_and_only_whole_chunks_count():
    found = {"MM": source(episode("wide", THREE)), "CE": source(episode("narrow", TWO, 60))}
    wide, narrow = draw_chunks(MIXTURE, found, STATS, 50)
    assert (wide.source, wide.platform, wide.names) == ("MM", "wide", THREE)
    # Of 120 rows the first 71 have 50 actions behind them, of 60 rows 11.
    assert (len(wide.values), len(narrow.values)) == (71, 11)
    assert {v.shape for v in wide.values} == {(50, 3)}
    assert {v.shape for v in narrow.values} == {(50, 2)}


def test_clipped_values_are_counted_by_entry():
    far = episode("wide", THREE, 50)  # One whole chunk: that of row 0.
    far.actions[:] = 0.5
    far.actions[10:13, 1] = [5.5, -7.0, 6.0]
    (part,) = draw_chunks(MIXTURE, {"MM": source(far), "CE": source(far)}, STATS, 50)[:1]
    fast = fit_fast([part], 1024)
    (use,) = fast_uses(fast, [part])
    assert use.clipped == {"d": 3} and (use.values, use.chunks, use.width) == (50, 1, 3)
    assert use.line().endswith("clipped: d 3 of 50")
    limited = np.clip(part.values[0], -5.0, 5.0)
    assert use.tokens_mean == use.tokens_p99 == len(fast.encode(limited))
    assert np.abs(fast.decode(fast.encode(limited), 50, 3) - limited).max() <= np.sqrt(50) * 0.05
    assert use.as_json()["clipped"] == {"d": 3}


def test_every_clipped_chunk_can_be_encoded():
    part = Chunks("MM", "wide", THREE, (np.zeros((50, 3)),))
    fast = fit_fast([part], 1024)
    for value in (5.0, -5.0):
        assert fast.encode(np.full((50, 3), value))
    assert fast.limit == 5.0 and fast.min_token == -354  # 5 · √50 · 10 = 353.6
    line = fast_line(fast, 50)
    assert "within ±5" in line and "at most 0.354 and 0.050 root mean square" in line


def test_a_vocabulary_that_is_too_small_is_refused():
    part = Chunks("MM", "wide", THREE, (np.zeros((50, 3)),))
    with pytest.raises(ConfigError, match="from -354 to 354 do not fit into 300 tokens"):
        fit_fast([part], 300)


def test_episodes_without_a_whole_chunk_are_refused():
    short = draw_chunks(
        MIXTURE,
        {"MM": source(episode("wide", THREE, 49))} | {"CE": source(episode("narrow", TWO, 49))},
        STATS,
        50,
    )
    with pytest.raises(ConfigError, match="no chunk of the episodes is whole"):
        fit_fast(short, 1024)


def test_the_encoder_clips_to_what_the_tokenizer_knows_and_counts():
    config = load_preset("tiny")
    fast = fit_fast([Chunks("MM", "wide", THREE, (np.zeros((50, 3)),))], 1024)
    actions = np.full((50, 3), 0.25)
    actions[0, 0], actions[49, 2] = 9.0, -9.0

    def encoded(tokenizer, rows=50):
        encoder = Encoder(config, ByteTokenizer(3072), tokenizer, AugmentationRecipe())
        side = config.vision.image_size
        picture = {"front": np.zeros((side, side, 3), np.uint8)}
        vectors = RobotVectors(STATS["wide"], np.zeros(3), actions, np.arange(50) < rows)
        return encoder.low_level(picture, ("front",), "go", vectors, {"fast", "flow"}, None)

    whole = encoded(fast)
    assert whole.clipped == 2
    assert float(whole.actions[0, 0]) == pytest.approx(9.0, abs=1e-5)  # The flow's are not.
    # Rows behind the end are encoded too: a robot decodes whole chunks.
    assert encoded(fast, rows=49).fast == whole.fast
    narrow = FastTokenizer.fit([actions.clip(-1, 1)], limit=1.0)
    assert encoded(narrow).clipped == 2 and encoded(narrow).fast != whole.fast


def test_the_verb_fits_to_bags_and_a_recipe_takes_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PI05_CACHE", str(tmp_path / "cache"))
    episode_bag(tmp_path / "bags" / "one", 120, home="1", outcome="success")
    out = tmp_path / "fast.json"
    assert (
        main(["fast", "fit", str(tmp_path / "bags"), "--out", str(out), "--preset", "tiny"]) == 0
    )
    printed = capsys.readouterr().out
    assert "MM, mobile_18dof: 18 entries, 71 chunks" in printed and "limit" not in printed
    assert main(["fast", "inspect", str(out)]) == 0
    assert capsys.readouterr().out.strip() in printed
    recipe = Recipe(
        "paths",
        "finetune",
        1,
        sources={"MM": SourceRecipe("MM", paths=(str(tmp_path / "bags"),))},
    )
    again, chunks, _ = fit_for_recipe(recipe, CacheFolder(), print)
    assert again == FastTokenizer.load(out)
    assert pickle.loads(pickle.dumps(again)) == again and len(chunks) == 1


def test_wrong_command_lines_of_the_verb(tmp_path, capsys):
    out = str(tmp_path / "fast.json")
    assert main(["fast", "fit", "pretrain", "more", "--out", out]) == 1
    assert "one recipe and nothing beside it" in capsys.readouterr().err
    assert main(["fast", "fit", str(tmp_path), "--set", "seed=1", "--out", out]) == 1
    assert "--set" in capsys.readouterr().err
    assert main(["fast", "fit", str(tmp_path), "--out", out]) == 1
    assert "there are no episodes in" in capsys.readouterr().err
    assert main(["fast", "fit", "pi0", "--out", out]) == 1
    assert "has no source of robot episodes" in capsys.readouterr().err
    assert main(["fast", "inspect", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "fast.json").exists()
