"""Lower bound ("floor") of each phase's time on a device, from its operations and bytes.

Operations are those of matrix products, two per multiply-add, and only necessary ones: the last
layer of a prefix needs no queries and no MLP, and the modulation by the flow time is precomputed.
Bytes are weights and caches, each read once; activations are not counted. The floor is the larger
of the two times at the measured ceilings. No implementation of the same arithmetic is faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from pi05_ros.model.config import ModelConfig

from .compact_work import points_work, tower_work
from .timing import now
from .work import Work
from .workload import Workload

_LARGEST, _SMALLEST = 2**30, 2**20  # Bytes of a working set whose bandwidth is measured.


def pictures_work(config: ModelConfig, pictures: int) -> Work:
    """Work of SigLIP and the projector on a batch of pictures."""
    vision, width = config.vision, config.vision.width
    patch = 3 * vision.patch_size**2
    layer = 4 * width**2 + 2 * width * vision.mlp_width  # Weights of its matrices.
    matrices = patch * width + vision.depth * layer + width * config.language.width
    attention = 4 * vision.tokens**2 * width * vision.depth
    biases = (
        width * (1 + vision.tokens)
        + vision.depth * (4 * width + vision.mlp_width + width + 4 * width)
        + 2 * width
        + config.language.width
    )
    return Work(pictures * (2 * vision.tokens * matrices + attention), matrices + biases)


def prefix_work(config: ModelConfig, length: int, prompt: int, tail: int) -> Work:
    """Work of the language model on pictures and prompt.

    Args:
        config: Sizes.
        length: Number of tokens.
        prompt: Number of prompt tokens among them, whose embeddings are read.
        tail: Number of last hidden states that are returned: 0 for actions, 1 for text.
    """
    full = _layer(config, config.language.width, config.language.mlp_width, length, length)
    keys = _keys(config, config.language.width)
    rest = _layer(config, config.language.width, config.language.mlp_width, tail, length, keys=0)
    last = Work(2 * length * keys + rest.operations, keys + (rest.read if tail else 0.0))
    depth, width = config.language.depth, config.language.width
    norms = width * (2 * (depth - 1) + (3 if tail else 1))
    caches = depth * length * _cache(config)
    extra = Work(0.0, prompt * width + norms + caches)
    return full.times(depth - 1).plus(last).plus(extra)


def step_work(config: ModelConfig, length: int) -> Work:
    """Work of one Euler step on a prefix of `length` tokens."""
    expert, depth, rows = config.required_expert(), config.language.depth, config.horizon
    layers = _layer(config, expert.width, expert.mlp_width, rows, length + rows).times(depth)
    ends = 2 * config.action_dim * expert.width
    modulation = (2 * depth + 1) * 3 * expert.width
    biases = expert.width + config.action_dim
    caches = depth * length * _cache(config)
    return layers.plus(Work(2 * rows * ends, ends + modulation + biases + caches))


def token_work(config: ModelConfig, length: int) -> Work:
    """Work of one token in the language model, after `length` tokens; without logits."""
    language = config.language
    layers = _layer(config, language.width, language.mlp_width, 1, length + 1).times(
        language.depth
    )
    norms = (2 * language.depth + 1) * language.width
    caches = language.depth * (length + 1) * _cache(config)
    return layers.plus(Work(0.0, norms + caches + language.width))


def logits_work(config: ModelConfig) -> Work:
    """Work of the logits of one token."""
    numbers = config.language.width * config.language.vocabulary
    return Work(2 * numbers, numbers)


def _layer(
    config: ModelConfig, width: int, mlp_width: int, rows: int, seen: int, keys: int | None = None
) -> Work:
    """Work of a decoder layer on `rows` tokens that attend to `seen`; `keys`: see `_keys`."""
    language = config.language
    keys = _keys(config, width) if keys is None else keys
    inner = language.heads * language.head_dim
    weights = keys + 2 * width * inner + 3 * width * mlp_width
    return Work(2 * rows * weights + 4 * rows * seen * inner, weights)


def _keys(config: ModelConfig, width: int) -> int:
    """Number of weights of the key and value projections."""
    return 2 * width * config.language.kv_heads * config.language.head_dim


def _cache(config: ModelConfig) -> int:
    """Number of cached values per layer and token."""
    return 2 * config.language.kv_heads * config.language.head_dim


class Ceilings:
    """Measured peak throughput of a device, in one dtype and with the current threads.

    A ceiling is the best measurement so far. On a shared machine, measure again later (`refresh`).

    Args:
        device: The device.
        dtype: Of matrix products and of the numbers read.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._item = torch.empty(0, dtype=dtype).element_size()
        self._bandwidths: dict[int, float] = {}  # Bytes of a working set → bytes a second.
        self.operations = 0.0  # [1/s], of a large matrix product.
        self.refresh()

    def refresh(self) -> None:
        """Measure everything again, and keep the better values."""
        self.operations = max(self.operations, self._measure_operations())
        for size, before in self._bandwidths.items():
            self._bandwidths[size] = max(before, self._measure_bandwidth(size))

    def bandwidth(self, size: float) -> float:
        """Bandwidth in a working set of `size` bytes [byte/s]; small sets stay in caches.

        Measured by copying one half of the set onto the other.
        """
        size = int(min(max(size, _SMALLEST), _LARGEST))
        power = 2 ** (size - 1).bit_length()  # Sizes in steps of two, measured once each.
        if power not in self._bandwidths:
            self._bandwidths[power] = self._measure_bandwidth(power)
        return self._bandwidths[power]

    def floor(self, work: Work) -> float:
        """Lower bound of the time of the work [s]."""
        size = work.read * self._item
        return max(work.operations / self.operations, size / self.bandwidth(size))

    def _measure_operations(self) -> float:
        side = 8192 if self._device.type == "cuda" else 1536
        left = torch.randn(side, side, device=self._device).to(self._dtype)
        right = torch.randn(side, side, device=self._device).to(self._dtype)
        out = torch.empty_like(left)
        return 2 * side**3 / self._best(lambda: torch.mm(left, right, out=out))

    def _measure_bandwidth(self, size: int) -> float:
        source = torch.ones(size // 2, dtype=torch.uint8, device=self._device)
        target = torch.empty_like(source)
        return size / self._best(lambda: target.copy_(source))

    def _best(self, function: Callable[[], object], seconds: float = 0.5) -> float:
        """Minimum time of one call [s], among many."""
        best, end = float("inf"), time.perf_counter() + seconds
        function()
        while time.perf_counter() < end or best == float("inf"):
            # Short calls are timed together: the clock and a synchronisation cost microseconds.
            calls = 1 if best > 1e-3 else 10
            start = now(self._device)
            for _ in range(calls):
                function()
            best = min(best, (now(self._device) - start) / calls)
        return best


def floors(workload: Workload, ceilings: Ceilings) -> dict[str, float]:
    """Floor of each row of the report [s]; composed rows are sums of their phases."""
    config, prompt = workload.config, len(workload.ids)
    length = workload.picture_tokens(points=True) + prompt
    if config.compact_vision is None:
        of_text = pictures_work(config, workload.cameras)
    else:
        of_text = tower_work(config, workload.views)
    of_actions = of_text
    if config.grounding is not None:
        of_actions = of_text.plus(points_work(config, workload.views, prompt - 1))
    pictures, pictures_text = ceilings.floor(of_actions), ceilings.floor(of_text)
    prefix = ceilings.floor(prefix_work(config, length, prompt, tail=0))
    step = ceilings.floor(step_work(config, length))
    length = workload.picture_tokens(points=False) + prompt
    prefix_text = ceilings.floor(prefix_work(config, length, prompt, tail=1))
    tokens = ceilings.floor(logits_work(config)) + sum(
        ceilings.floor(token_work(config, length + index).plus(logits_work(config)))
        for index in range(workload.tokens - 1)
    )
    return {
        "pictures": pictures,
        "prefix": prefix,
        "step": step,
        "chunk": pictures + prefix + config.flow_steps * step,
        "prefix_text": prefix_text,
        "token": tokens / workload.tokens,
        "tokens": tokens,
        "subtask": pictures_text + prefix_text + tokens,
    }
