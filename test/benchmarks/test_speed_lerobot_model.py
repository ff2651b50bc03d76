"""LeRobot's own code on our weights, if it is installed: the same chunk, the same text."""

import pytest
import torch
from speed import lerobot_model
from speed.implementations import Ours

pytestmark = pytest.mark.skipif(bool(lerobot_model.why_not()), reason=lerobot_model.why_not())


@pytest.mark.parametrize("padded", [True, False])
def test_chunk_and_text_are_the_engines(workload, model, padded):
    from lerobot.policies.pi05 import modeling_pi05

    before = modeling_pi05.get_gemma_config
    theirs = lerobot_model.LeRobot(
        model, lerobot_model.build(model, torch.float32), workload, padded=padded
    )
    assert modeling_pi05.get_gemma_config is before  # Its module is as it was.
    ours, pictures = Ours(model, workload), workload.pictures(0)
    chunk = theirs.chunk(pictures)
    torch.testing.assert_close(chunk.actions, ours.chunk(pictures).actions, atol=1e-5, rtol=0)
    assert min(chunk.laps.pictures, chunk.laps.prefix, chunk.laps.generation) > 0
    text, wanted = theirs.text(pictures, keep_logits=True), ours.text(pictures)
    assert text.tokens == wanted.tokens
    assert text.score == pytest.approx(wanted.score, rel=1e-4)
