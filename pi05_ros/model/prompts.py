r"""What the model is asked, word for word.

Low level, byte for byte as the public weights were trained (openpi, PaligemmaTokenizer):

    "Task: pick up the plate, State: 128 77 255;\nAction: "

High level, for which nothing was published, so ours; its answer is in `locations`:

    "Task: put the dishes in the sink, State: 128 77 255;\nSubtask: "

The state is the robot's own entries, normalised and not padded, each as its bin of 256 on [-1, 1].
In the Task field of the low level stands the subtask, never the task.
"""

from __future__ import annotations

import numpy as np

STATE_BINS = 256
_EDGES = np.linspace(-1.0, 1.0, STATE_BINS + 1)[:-1]  # Lower edge of each bin.


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


def low_level(subtask: str, state: np.ndarray) -> str:
    """The prompt that action chunks answer; `state` (D,) normalised."""
    return f"Task: {_one_line(subtask)}, State: {_state_text(state)};\nAction: "


def high_level(task: str, state: np.ndarray) -> str:
    """The prompt that boxes and a subtask answer; `state` (D,) normalised."""
    return f"Task: {_one_line(task)}, State: {_state_text(state)};\nSubtask: "


def _one_line(text: str) -> str:
    """As the public prompt cleans its text."""
    return text.strip().replace("_", " ").replace("\n", " ")


def _state_text(state: np.ndarray) -> str:
    return " ".join(map(str, state_bins(state)))
