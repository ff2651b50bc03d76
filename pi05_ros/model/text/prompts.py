r"""What the model is asked, word for word, at both levels and in all variants.

Low level, byte for byte as the public weights were trained (openpi, models/tokenizer.py):

    pi05      "Task: pick up the plate, State: 128 77 255;\nAction: "   PaligemmaTokenizer
    pi0       "pick up the plate\n"                                     PaligemmaTokenizer
    pi0_fast  "Task: pick up the plate, State: 128 77 255;\n"           FASTTokenizer

Its answer is actions: drawn by the expert, or for pi0_fast written as `action_text` says. π0-FAST
reads lower case, and leaves newlines within the text as they are; the others read the text as it
was typed, on one line. π0 takes its state as numbers, not here. In the text of the low level
stands the subtask, never the task.

High level, for which nothing was published, so ours; its answer is in `locations`:

    "Task: put the dishes in the sink, State: 128 77 255;\nSubtask: "

The state is the robot's own entries, normalised and not padded (openpi pads after it has written
the prompt; LeRobot does not pad it either, its `max_state_dim` is not used there), each as its bin
of 256 on [-1, 1].

Where LeRobot differs (policies/*/processor_*.py), openpi is kept, which trained the public
weights. LeRobot's π0 neither strips the text nor replaces "_"; its π0-FAST keeps capitals and
replaces newlines, and puts <bos> once more between prompt and answer. For π0.5 the two agree.
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
    """A prompt does not fit into the model."""

    def __init__(self, prompt: str, wanted: int, found: int) -> None:
        super().__init__(
            f"wanted a prompt of at most {wanted} tokens, found {found}; give a shorter text "
            f"(it begins with {prompt[:60]!r})"
        )


def state_bins(state: np.ndarray) -> list[int]:
    """Bin of each entry of a normalised state (D,).

    Values from 1 up fall into the last bin, 255. Values below -1 give -1, which is no bin, but
    what the public code writes and the public weights have read.

    Raises:
        ValueError: A value is not finite.
    """
    if not np.isfinite(state).all():
        raise ValueError(f"the state holds values that are not finite: {state}")
    return [int(index) for index in np.digitize(state, _EDGES) - 1]


def low_level(subtask: str, state: np.ndarray, variant: Variant = "pi05") -> str:
    """The prompt that action chunks answer; `state` (D,) normalised."""
    return LOW_LEVEL[variant](subtask, state)


def high_level(task: str, state: np.ndarray) -> str:
    """The prompt that boxes and a subtask answer, in every variant; `state` (D,) normalised."""
    return f"Task: {_one_line(task)}, State: {_state_text(state)};\nSubtask: "


def _pi05(subtask: str, state: np.ndarray) -> str:
    return f"Task: {_one_line(subtask)}, State: {_state_text(state)};\nAction: "


def _pi0(subtask: str, state: np.ndarray) -> str:
    # openpi encodes the newline by itself; no piece of the vocabulary reaches across it.
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
    """Ids of a whole prompt, its beginning included.

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
    """Whole prompts as ids, padded behind.

    Args:
        tokenizer: Of the model.
        prompts: From this module.
        length: Of each row, `ModelConfig.max_prompt_tokens`.

    Returns:
        Ids (B, length) int64, each row a beginning, its text and padding; and which of them are
        no padding, (B, length) bool.

    Raises:
        PromptError: A prompt is longer. openpi cuts it and warns; what is cut there is "Action: "
            and the state's last entries, so the model would not know what it is asked.
    """
    ids = np.full((len(prompts), length), PAD, dtype=np.int64)
    mask = np.zeros((len(prompts), length), dtype=bool)
    for row, prompt in enumerate(prompts):
        tokens = fitting_tokens(tokenizer, prompt, length)
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = True
    return ids, mask


def _one_line(text: str) -> str:
    """As the public prompt cleans its text."""
    return text.strip().replace("_", " ").replace("\n", " ")


def _state_text(state: np.ndarray) -> str:
    return " ".join(map(str, state_bins(state)))
