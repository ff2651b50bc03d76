"""The judge on hand-made facts: who speaks, who acts."""

from dataclasses import replace

import numpy as np
import pytest

from pi05_ros.evaluation.probe.judge import (
    ChunkFacts,
    Sentence,
    judge_chunks,
    judge_fast,
    judge_text,
    measure_chunks,
)

GOOD = Sentence(
    prompt="Task: x",
    tokens=(9, 8, 7, 6, 5),
    text="pick up the plate",
    finished=True,
    probability=0.8,
    entropy=0.05,
    subtask="pick up the plate",
    boxes=1,
)


def test_a_good_sentence():
    assert GOOD.faults == ()
    assert GOOD.repeated == 0.25  # Each of the four pairs once.


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"finished": False}, "does not end"),
        ({"subtask": ""}, "no words"),
        ({"subtask": "a 1 ; 2"}, "no words"),
        ({"tokens": (4, 5) * 6 + (1, 2, 3)}, None),
        ({"tokens": (4,) * 9}, "repeats itself"),
        ({"tokens": (4,) * 4}, None),  # Too short to tell.
        ({"probability": 0.19}, "not meant"),
        ({"subtask": "盘子"}, None),
    ],
)
def test_faults(change, fault):
    assert replace(GOOD, **change).faults == ((fault,) if fault else ())


@pytest.mark.parametrize(
    ("good", "bad", "can"),
    [(8, 0, True), (6, 2, True), (5, 3, None), (2, 6, False), (0, 8, False)],
)
def test_the_verdict_counts(good, bad, can):
    sentences = [GOOD] * good + [replace(GOOD, finished=False, subtask="")] * bad
    verdict = judge_text(sentences)
    assert verdict.can is can
    assert f"wrote {good} of 8 sentences" in verdict.reason
    assert ("does not end: " in verdict.reason) == bool(bad)


def test_no_verdict_without_facts():
    for judge in (judge_text, judge_fast, judge_chunks):
        with pytest.raises(ValueError, match="nothing to assess"):
            judge([])


def test_fast_answers():
    assert judge_fast([(), ()]).can is True
    verdict = judge_fast([("length",), ("text",)])
    assert verdict.can is False
    assert verdict.reason == "wrote 0 of 2 chunks of FAST tokens (length: 1, text: 1)"


def test_noise_is_rough_and_a_movement_is_smooth():
    noise = np.random.default_rng(0).standard_normal((4, 50, 18))
    facts = measure_chunks(noise)
    assert facts.roughness == pytest.approx(np.sqrt(2), rel=0.02)
    assert facts.spread == pytest.approx(np.sqrt(3) / 2, rel=0.1)  # Of 4 draws, biased.
    assert judge_chunks([facts]).can is False
    time = np.linspace(0.0, 1.0, 50)[None, :, None]
    movement = np.sin(3.0 * time + np.arange(18)) + 0.01 * noise
    facts = measure_chunks(movement)
    assert facts.roughness < 0.2
    assert judge_chunks([facts, facts]).can is True


def test_broken_and_far_chunks_do_not_act():
    chunks = np.zeros((2, 50, 3))
    assert judge_chunks([measure_chunks(chunks)]).can is True  # Standing still is smooth.
    chunks[0, 3, 1] = np.nan
    verdict = judge_chunks([measure_chunks(chunks)])
    assert (verdict.can, "not finite: 1" in verdict.reason) == (False, True)
    verdict = judge_chunks([ChunkFacts(True, -7.0, 0.0, 0.1, 0.1)])
    assert (verdict.can, "beyond ±5: 1" in verdict.reason) == (False, True)
