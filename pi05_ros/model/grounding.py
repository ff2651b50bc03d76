"""Where a text's things are in each picture: heat maps over a compact tower's feature maps.

The high level says boxes before the subtask (paper, section IV-A), and a small model needs the
place of what it is told to take more exactly than a few tokens can say it. For a query, the text
of a subtask or of an object, the head gives two heat maps of every picture:

    0  the thing that the text names first      "pick up the cup": the cup
    1  the place that it is put                 "put the cup in the sink": the sink

Each is a distribution over the cells of the fine map and one more outcome, that nothing of it is
seen. The mean place around the peak is a point, which the language model and the expert see as a
token before the picture's others.

Shapes: n pictures of one size, m pairs of one of them and a query, L tokens of a query, h and w of
the fine map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.compact_vision import FeatureMaps
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.transformer import NORM_EPSILON

POINTS = 2  # Heat maps of a query: the thing, and the place.
_AROUND = 2  # Cells on each side of the peak that its mean place is taken over.
_FREQUENCIES = (1.0, 2.0, 4.0, 8.0)  # Of a coordinate's sines, half periods of a picture.


@dataclass(frozen=True)
class Points:
    """Points of queries in pictures."""

    places: Tensor  # (..., POINTS, 2) float32: x, y as fractions of the picture.
    seen: Tensor  # (..., POINTS) float32: probability that something of it is seen.


class QueryEncoder(nn.Module):
    """Reads a text as one vector for each heat map: attention over the embedded tokens.

    Args:
        width: Of the embedded tokens.
        hidden: Width of a query vector.
        longest: Largest number of tokens; later ones are not read.
    """

    def __init__(self, width: int, hidden: int, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.position_embedding = nn.Parameter(torch.zeros(longest, hidden))
        self.inner = nn.Linear(width, hidden)
        self.scores = nn.Linear(hidden, POINTS)
        self.outer = nn.Linear(hidden, hidden)

    def forward(self, embedded: Tensor, valid: Tensor) -> Tensor:
        """Encode texts: embedded (..., L, width), valid (..., L) bool → (..., POINTS, hidden)."""
        embedded, valid = embedded[..., : self.longest, :], valid[..., : self.longest]
        x = self.inner(embedded) + self.position_embedding[: embedded.shape[-2]]
        x = F.gelu(x, approximate="tanh")
        # A row without any token gets a weight of its own padding, which nothing uses.
        masked = self.scores(x).float().masked_fill(~valid[..., None], -1e4)
        weights = masked.softmax(dim=-2).to(x.dtype)
        return F.gelu(self.outer(weights.transpose(-1, -2) @ x), approximate="tanh")


class GroundingHead(nn.Module):
    """Heat maps of queries, and the tokens that tell of their peaks.

    Args:
        config: Of the whole model, with a compact tower and grounding.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        grounding, vision = config.required_grounding(), config.required_compact_vision()
        _, fine, coarse = vision.channels
        hidden, language = grounding.width, config.language.width
        self.query = QueryEncoder(language, hidden, grounding.max_query_tokens)
        self.coarse_in = nn.Conv2d(coarse, hidden, kernel_size=3, padding=1)
        self.modulation = nn.Linear(hidden, 2 * hidden)
        self.coarse_out = nn.Conv2d(hidden, hidden, kernel_size=3, padding=1)
        self.fine_in = nn.Conv2d(fine, hidden, kernel_size=1)
        self.fine_out = nn.Conv2d(hidden, hidden, kernel_size=3, padding=1)
        self.norm = nn.GroupNorm(1, hidden, eps=NORM_EPSILON)
        self.heat = nn.Linear(hidden, hidden)
        self.nothing = nn.Linear(2 * hidden, 1)
        about = POINTS * (3 + 4 * len(_FREQUENCIES) + coarse)
        self.point_in = nn.Linear(about, 2 * language)
        self.point_out = nn.Linear(2 * language, language)

    def forward(self, maps: FeatureMaps, which: Tensor, queries: Tensor) -> Tensor:
        """Compute the logits of heat maps.

        Args:
            maps: Of n pictures.
            which: Picture of each pair, (m,) int64, 0 to n - 1.
            queries: From `query`, (m, POINTS, hidden).

        Returns:
            (m, POINTS, h · w + 1) float32; the last one: nothing of it is seen.
        """
        scale, shift = self.modulation(queries[:, 0])[:, :, None, None].chunk(2, dim=1)
        x = self.coarse_in(maps.coarse)[which]
        x = F.gelu(x * (1.0 + scale) + shift, approximate="tanh")
        x = F.gelu(self.coarse_out(x), approximate="tanh")
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = x + self.fine_in(maps.fine)[which]
        x = self.norm(x + self.fine_out(F.gelu(x, approximate="tanh")))  # (m, hidden, h, w)
        cells = x.flatten(2)  # (m, hidden, h · w)
        heat = self.heat(queries) @ cells / math.sqrt(cells.shape[1])  # (m, POINTS, h · w)
        mean = cells.mean(dim=-1)[:, None].expand_as(queries)
        nothing = self.nothing(torch.cat([queries, mean], dim=-1))
        return torch.cat([heat, nothing], dim=-1).float()

    def tokens(self, maps: FeatureMaps, which: Tensor, logits: Tensor) -> Tensor:
        """Return a token for each pair that tells of its points.

        The points are inputs: no gradient reaches the heat maps through them.

        Args:
            maps: Of n pictures.
            which: Picture of each pair, (m,) int64.
            logits: From `forward`, (m, POINTS, h · w + 1).

        Returns:
            (m, W).
        """
        height, width = maps.fine.shape[-2:]
        logits = logits.detach()
        points = points_of(logits, height, width)
        weights = logits[..., :-1].softmax(dim=-1).unflatten(-1, (height, width))
        weights = F.avg_pool2d(weights, 2) * 4.0  # (m, POINTS, h / 2, w / 2), sums to 1.
        coarse = maps.coarse[which]
        look = torch.einsum("mphw,mchw->mpc", weights.to(coarse.dtype), coarse)
        places = points.places * 2.0 - 1.0
        waves = [
            wave(places * (math.pi / 2.0 * frequency))
            for frequency in _FREQUENCIES
            for wave in (torch.sin, torch.cos)
        ]
        seen = points.seen[..., None]
        told = torch.cat([places * seen, seen, *(wave * seen for wave in waves)], dim=-1)
        about = torch.cat([told.to(look.dtype), look * seen.to(look.dtype)], dim=-1)
        hidden = F.gelu(self.point_in(about.flatten(1)), approximate="tanh")
        return self.point_out(hidden)


def points_of(logits: Tensor, height: int, width: int) -> Points:
    """Return the points of heat maps (..., h · w + 1): mean places around the peaks."""
    heat, nothing = logits[..., :-1], logits[..., -1]
    peak = heat.argmax(dim=-1, keepdim=True)
    cell = torch.arange(height * width, device=logits.device)
    rows, columns = cell // width, cell % width
    near = ((rows - peak // width).abs() <= _AROUND) & ((columns - peak % width).abs() <= _AROUND)
    weights = heat.masked_fill(~near, -torch.inf).softmax(dim=-1)
    x = (weights * (columns + 0.5)).sum(dim=-1)
    y = (weights * (rows + 0.5)).sum(dim=-1)
    x = _inside(x, (peak % width)[..., 0], width) / width
    y = _inside(y, (peak // width)[..., 0], height) / height
    seen = 1.0 - (nothing - torch.logsumexp(logits, dim=-1)).exp()
    return Points(torch.stack([x, y], dim=-1), seen)


def _inside(mean: Tensor, peak: Tensor, count: int) -> Tensor:
    """Correct the mean place around a peak that is so near to an edge that its window is cut.

    There the mean lies too far inside. Taken is the middle of the Gaussian of one cell's width
    whose mean over the cut window it is, by Newton's method; elsewhere the mean itself.

    Args:
        mean: In cells, (...).
        peak: Index of the peak's cell, (...) int64.
        count: Cells along this axis.
    """
    low, high = (-peak).clamp(min=-_AROUND), (count - 1 - peak).clamp(max=_AROUND)
    offsets = torch.arange(-_AROUND, _AROUND + 1, device=mean.device)
    outside = (offsets < low[..., None]) | (offsets > high[..., None])  # (..., window)
    wanted = mean - (peak + 0.5)
    middle = wanted
    for _ in range(6):
        weights = (-0.5 * (offsets - middle[..., None]).square()).masked_fill(outside, -torch.inf)
        weights = weights.softmax(dim=-1)
        found = (weights * offsets).sum(dim=-1)
        # The mean's derivative is the variance.
        variance = (weights * offsets.square()).sum(dim=-1) - found.square()
        middle = middle + (wanted - found) / variance.clamp(min=0.1)
        middle = middle.clamp(min=low - 0.5, max=high + 0.5)
    return torch.where(high - low < 2 * _AROUND, middle + (peak + 0.5), mean)


def heat_targets(places: Tensor, seen: Tensor, height: int, width: int) -> Tensor:
    """Return the distributions that heat maps are trained to: a Gaussian of one cell's width.

    Args:
        places: (..., 2) x, y as fractions of the picture.
        seen: (...) bool; False: nothing of it is seen.
        height: h.
        width: w.

    Returns:
        (..., h · w + 1) float32, each summing to 1.
    """
    columns = torch.arange(width, device=places.device) + 0.5
    rows = torch.arange(height, device=places.device) + 0.5
    x, y = places[..., 0, None] * width, places[..., 1, None] * height
    across = (-0.5 * (columns - x).square()).softmax(dim=-1)
    down = (-0.5 * (rows - y).square()).softmax(dim=-1)
    cells = (down[..., :, None] * across[..., None, :]).flatten(-2)
    shown = seen[..., None].float()
    return torch.cat([cells * shown, 1.0 - shown], dim=-1)
