"""Results that differ are not timed."""

import pytest
import torch
from speed.agreement import Disagreement, Tolerances, compare
from speed.contestants import ChunkRun, TextRun
from speed.timing import Laps

LAPS = Laps(0.0, 0.0, 0.0, 0.0)
TOLERANCES = Tolerances(actions=0.1, logits=0.5, score=0.01)
ACTIONS = torch.zeros(2, 3)
# Tokens 2, 0, 1; the second is nearly 1.
LOGITS = torch.tensor([[0.0, 0.0, 4.0], [2.0, 1.8, 0.0], [0.0, 4.0, 0.0]])
REFERENCE = ChunkRun(ACTIONS, LAPS), TextRun.of_logits([2, 0, 1], LAPS, list(LOGITS))


def text(tokens: tuple[int, ...], score: float | None = None) -> TextRun:
    return TextRun(tokens, score, LAPS)


def test_the_score_is_the_mean_probability():
    wanted = LOGITS.double().softmax(-1)[[0, 1, 2], [2, 0, 1]].mean()
    assert REFERENCE[1].score == pytest.approx(float(wanted), abs=1e-6)
    assert TextRun.of_logits([1], LAPS, []) == text((1,))


def test_equal_results_agree():
    score = REFERENCE[1].score
    found = compare(
        "x", ChunkRun(ACTIONS + 0.05, LAPS), text((2, 0, 1), score), REFERENCE, TOLERANCES
    )
    assert found.tokens == 3 and found.score == 0.0
    assert found.actions == pytest.approx(0.05)
    assert str(found) == "actions within 5.0e-02, first 3 tokens the same, score within 0.0e+00"


def test_a_near_tie_may_fall_either_way():
    found = compare("x", REFERENCE[0], text((2, 1, 0), 0.5), REFERENCE, TOLERANCES)
    assert found.tokens == 1 and found.score is None
    assert str(found) == "actions within 0.0e+00, first 1 tokens the same"


@pytest.mark.parametrize(
    ("actions", "written", "message"),
    [
        (ACTIONS + 0.2, text((2, 0, 1)), "x: its chunk is 2.0e-01 off"),
        (ACTIONS * torch.nan, text((2, 0, 1)), "x: its chunk is nan off"),
        (ACTIONS, text((2, 0)), "x: wanted 3 tokens of text, found 2"),
        (ACTIONS, text((0, 0, 1)), "x: token 0 is 0, wanted 2, which is 4.0e[+]00 likelier"),
        (ACTIONS, text((2, 0, 1), 0.1), "x: its tokens' mean probability is 0.1, wanted 0."),
    ],
)
def test_other_results_are_refused(actions, written, message):
    with pytest.raises(Disagreement, match=message):
        compare("x", ChunkRun(actions, LAPS), written, REFERENCE, TOLERANCES)


def test_a_reference_must_show_its_logits():
    with pytest.raises(ValueError, match="kept no logits"):
        compare("x", REFERENCE[0], text((2,)), (REFERENCE[0], text((2,))), TOLERANCES)
