r"""Prompt formats of both levels and all variants.

Low level, byte for byte as in the training of the public weights (openpi, models/tokenizer.py):

    pi05      "Task: pick up the plate, State: 128 77 255;\nAction: "   PaligemmaTokenizer
    pi0       "pick up the plate\n"                                     PaligemmaTokenizer
    pi0_fast  "Task: pick up the plate, State: 128 77 255;\n"           FASTTokenizer

The answer is actions: sampled by the expert, or for pi0_fast decoded in the format of
`action_text`. π0-FAST converts the text to lower case and keeps newlines within it; the others
keep the case and use one line. π0 takes its state as numbers, outside of the prompt. The text of
the low level is the subtask, never the task.

High level, defined here since none was published; the answer format is in `locations`:

    "Task: put the dishes in the sink, State: 128 77 255;\nSubtask: "

Weights that were trained with past subtasks (`Training.history`) get them behind the task, oldest
first, each with its outcome and its duration in whole seconds:

    "Task: put the dishes in the sink, Past: pick up the plate finished 12; put the plate in the
    sink stalled 20, State: 128 77 255;\nSubtask: "        (one line)

The state is the robot's own entries, normalised and not padded (openpi pads after it has written
the prompt; LeRobot does not pad it either, its `max_state_dim` is not used there), each as its bin
of 256 on [-1, 1].

Where LeRobot differs (policies/*/processor_*.py), openpi is followed, which trained the public
weights. LeRobot's π0 neither strips the text nor replaces "_"; its π0-FAST keeps capitals and
replaces newlines, and adds a second <bos> between prompt and answer. For π0.5 the two agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pi05_ros.errors import Pi05Error
from pi05_ros.model.config import Variant
from pi05_ros.model.text.tokenizer import PAD, Tokenizer, prompt_tokens

STATE_BINS = 256
_EDGES = np.linspace(-1.0, 1.0, STATE_BINS + 1)[:-1]  # Lower edge of each bin.


class PromptError(Pi05Error):
    """A prompt with more tokens than the model takes.

    Args:
        prompt: The text.
        wanted: Maximum number of tokens.
        found: Number of tokens.
    """

    def __init__(self, prompt: str, wanted: int, found: int) -> None:
        super().__init__(
            f"wanted a prompt of at most {wanted} tokens, found {found}; give a shorter text "
            f"(it begins with {prompt[:60]!r})"
        )


def state_bins(state: np.ndarray) -> list[int]:
    """Bin of each entry of a normalised state (D,).

    Values from 1 up are in the last bin, 255. Values below -1 give -1, which is no bin, but is in
    the prompts of the public code, with which the public weights were trained.

    Raises:
        ValueError: A value is not finite.
    """
    if not np.isfinite(state).all():
        raise ValueError(f"the state holds values that are not finite: {state}")
    return [int(index) for index in np.digitize(state, _EDGES) - 1]


def low_level(subtask: str, state: np.ndarray, variant: Variant = "pi05") -> str:
    """Format the prompt for an action chunk.

    Args:
        subtask: Text of the subtask.
        state: (D,), normalised, not padded.
        variant: Of the model.
    """
    return LOW_LEVEL[variant](subtask, state)


def query(subtask: str) -> str:
    """Return a subtask as it stands in the prompt: what grounding looks for in the pictures."""
    return _one_line(subtask)


def high_level(task: str, state: np.ndarray, past: Sequence[str] = ()) -> str:
    """Format the prompt for boxes and a subtask, the same in every variant.

    Args:
        task: Text of the task.
        state: (D,), normalised, not padded.
        past: Earlier subtasks, oldest first, each from `past_subtask`.
    """
    history = f", Past: {'; '.join(past)}" if past else ""
    return f"Task: {_one_line(task)}{history}, State: {_state_text(state)};\nSubtask: "


def past_subtask(text: str, outcome: str, duration: float) -> str:
    """Format an earlier subtask for `high_level`.

    Args:
        text: Of the subtask.
        outcome: One word, such as "finished".
        duration: How long it was the subtask [s].
    """
    return f"{_one_line(text)} {outcome} {duration:.0f}"


def _pi05(subtask: str, state: np.ndarray) -> str:
    return f"Task: {_one_line(subtask)}, State: {_state_text(state)};\nAction: "


def _pi0(subtask: str, state: np.ndarray) -> str:
    # openpi encodes the newline separately; the ids are the same, since no piece spans it.
    return f"{_one_line(subtask)}\n"


def _pi0_fast(subtask: str, state: np.ndarray) -> str:
    text = subtask.lower().strip().replace("_", " ")
    return f"Task: {text}, State: {_state_text(state)};\n"


LOW_LEVEL: Mapping[Variant, Callable[[str, np.ndarray], str]] = {
    "pi05": _pi05,
    "pi0": _pi0,
    "pi0_fast": _pi0_fast,
}


def fitting_tokens(tokenizer: Tokenizer, prompt: str, length: int) -> Sequence[int]:
    """Token ids of a whole prompt, beginning-of-sequence included.

    Raises:
        PromptError: They are more than `length`.
    """
    tokens = prompt_tokens(tokenizer, prompt)
    if len(tokens) > length:
        raise PromptError(prompt, length, len(tokens))
    return tokens


def prompt_batch(
    tokenizer: Tokenizer, prompts: Sequence[str], length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Token ids of several prompts, padded at the end.

    Args:
        tokenizer: Of the model.
        prompts: From this module.
        length: Of each row, `ModelConfig.max_prompt_tokens`.

    Returns:
        Ids (B, length) int64, each row beginning-of-sequence, text and padding; and a mask
        (B, length) bool, False for padding.

    Raises:
        PromptError: A prompt is longer. openpi truncates it and warns; that removes "Action: " and
            the last entries of the state, and the answer is meaningless.
    """
    ids = np.full((len(prompts), length), PAD, dtype=np.int64)
    mask = np.zeros((len(prompts), length), dtype=bool)
    for row, prompt in enumerate(prompts):
        tokens = fitting_tokens(tokenizer, prompt, length)
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = True
    return ids, mask


def _one_line(text: str) -> str:
    """Clean a text as the public prompt does: stripped, no "_", no newline."""
    return text.strip().replace("_", " ").replace("\n", " ")


def _state_text(state: np.ndarray) -> str:
    return " ".join(map(str, state_bins(state)))
