"""A convolutional picture tower for small models: few tokens a picture, sizes per camera.

A vision transformer with large patches sees too little detail to be small. Here three strided
convolutions keep the detail in feature maps, from which the tokens of a picture are drawn; the
heat maps of `grounding` read the maps themselves.

    picture ─ /2 ─ /4 (fine map) ─ /8 (coarse map) ─ patches of the coarse map ─ tokens

Shapes: N pictures, T tokens of the largest one, W width of the language model, c channels,
h and w height and width of a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import CompactVisionConfig
from pi05_ros.model.transformer import NORM_EPSILON


@dataclass(frozen=True)
class FeatureMaps:
    """Feature maps of pictures of one size."""

    rows: Tensor  # (n,) int64, places of the pictures in their `Pictures`.
    fine: Tensor  # (n, c, h, w), one cell for 4 x 4 pixels.
    coarse: Tensor  # (n, c, h / 2, w / 2), one cell for 8 x 8 pixels.


@dataclass(frozen=True)
class Pictures:
    """Embedded pictures: tokens, and what a tower keeps beside them."""

    tokens: Tensor  # (N, T, W).
    valid: Tensor | None = None  # (N, T) bool, False behind a smaller picture's tokens; None: all.
    maps: tuple[FeatureMaps, ...] = ()  # Of a compact tower, one for each size of pictures.


def join(pictures: Sequence[Pictures]) -> Pictures:
    """Return several pictures as one; those with fewer tokens are padded."""
    longest, maps = max(part.tokens.shape[1] for part in pictures), _joined_maps(pictures)
    if all(part.valid is None and part.tokens.shape[1] == longest for part in pictures):
        return Pictures(torch.cat([part.tokens for part in pictures]), None, maps)
    valid = torch.cat([F.pad(_valid(p), (0, longest - p.tokens.shape[1])) for p in pictures])
    tokens = torch.cat([F.pad(p.tokens, (0, 0, 0, longest - p.tokens.shape[1])) for p in pictures])
    return Pictures(tokens, valid, maps)


def split(pictures: Pictures) -> list[Pictures]:
    """Return each picture on its own, without padding; the inverse of `join`.

    Args:
        pictures: From a tower: the tokens of each are its first ones.
    """
    parts = []
    for index in range(len(pictures.tokens)):
        row = slice(index, index + 1)
        count = None if pictures.valid is None else int(pictures.valid[index].sum())
        maps = tuple(
            FeatureMaps(found.new_zeros(1), m.fine[found], m.coarse[found])
            for m in pictures.maps
            if len(found := (m.rows == index).nonzero()[:, 0])
        )
        parts.append(Pictures(pictures.tokens[row, :count], None, maps))
    return parts


def _joined_maps(pictures: Sequence[Pictures]) -> tuple[FeatureMaps, ...]:
    """Maps of several pictures, those of one size together: the heat maps are faster so."""
    by_size: dict[torch.Size, list[FeatureMaps]] = {}
    start = 0
    for part in pictures:
        for m in part.maps:
            moved = FeatureMaps(m.rows + start, m.fine, m.coarse)
            by_size.setdefault(m.fine.shape[1:], []).append(moved)
        start += len(part.tokens)
    return tuple(
        FeatureMaps(
            torch.cat([m.rows for m in group]),
            torch.cat([m.fine for m in group]),
            torch.cat([m.coarse for m in group]),
        )
        for group in by_size.values()
    )


def _valid(pictures: Pictures) -> Tensor:
    if pictures.valid is not None:
        return pictures.valid
    return torch.ones(pictures.tokens.shape[:2], dtype=torch.bool, device=pictures.tokens.device)


class CompactTower(nn.Module):
    """The tower, and the linear projection of its tokens to the language model's width.

    Args:
        config: Sizes of the tower.
        language_width: W.
    """

    def __init__(self, config: CompactVisionConfig, language_width: int) -> None:
        super().__init__()
        self.config = config
        first, second, third = config.channels
        self.halve_1 = nn.Conv2d(3, first, kernel_size=5, stride=2, padding=2)
        self.halve_2 = nn.Conv2d(first, second, kernel_size=3, stride=2, padding=1)
        self.fine_norm = nn.GroupNorm(1, second, eps=NORM_EPSILON)
        self.halve_3 = nn.Conv2d(second, third, kernel_size=3, stride=2, padding=1)
        self.residual_in = nn.Conv2d(third, third, kernel_size=3, padding=1)
        self.residual_out = nn.Conv2d(third, third, kernel_size=3, padding=1)
        self.coarse_norm = nn.GroupNorm(1, third, eps=NORM_EPSILON)
        self.patches = nn.Conv2d(
            third, language_width, kernel_size=config.patch, stride=config.patch
        )
        self.norm = nn.LayerNorm(language_width, eps=NORM_EPSILON)
        self.projector = nn.Linear(language_width, language_width)
        most = max(map(config.tokens_of, range(len(config.views))))
        self.position_embedding = nn.Parameter(
            torch.zeros(len(config.views), most, language_width)
        )

    def forward(self, images: Tensor, views: Tensor) -> Pictures:
        """Embed pictures.

        Args:
            images: (N, 3, height, width), rgb in [-1, 1], the tower's dtype. A picture of a camera
                with a reduction is in the upper left corner.
            views: (N,) int64, index of each picture's camera in `config.views`.
        """
        reductions = torch.tensor(self.config.reductions, device=views.device)[views]
        order = torch.unique(reductions).tolist()
        return self._in_place(
            [self._of_one_size(images, views, reductions == each, each) for each in order],
            len(images),
        )

    def _of_one_size(
        self, images: Tensor, views: Tensor, chosen: Tensor, reduction: int
    ) -> tuple[Tensor, FeatureMaps]:
        """Embed the pictures of one size: tokens (n, tokens, W), and maps."""
        rows = chosen.nonzero()[:, 0]
        height, width = self.config.height // reduction, self.config.width // reduction
        x = images[rows, :, :height, :width].contiguous(memory_format=torch.channels_last)
        x = F.gelu(self.halve_1(x), approximate="tanh")
        fine = self.fine_norm(F.gelu(self.halve_2(x), approximate="tanh"))
        x = F.gelu(self.halve_3(fine), approximate="tanh")
        x = x + self.residual_out(F.gelu(self.residual_in(x), approximate="tanh"))
        coarse = self.coarse_norm(x)
        tokens = self.patches(coarse).flatten(2).transpose(1, 2)  # (n, tokens, W)
        tokens = tokens + self.position_embedding[views[rows], : tokens.shape[1]]
        return self.projector(self.norm(tokens)), FeatureMaps(rows, fine, coarse)

    def _in_place(self, groups: list[tuple[Tensor, FeatureMaps]], count: int) -> Pictures:
        """Put the tokens of all sizes into the order of the pictures."""
        maps = tuple(group[1] for group in groups)
        if len(groups) == 1:
            return Pictures(groups[0][0], None, maps)
        longest = max(tokens.shape[1] for tokens, _ in groups)
        device = groups[0][0].device
        joined = groups[0][0].new_zeros(count, longest, groups[0][0].shape[2])
        valid = torch.zeros(count, longest, dtype=torch.bool, device=device)
        for tokens, found in groups:
            padded = F.pad(tokens, (0, 0, 0, longest - tokens.shape[1]))
            joined = joined.index_put((found.rows,), padded)
            valid[found.rows, : tokens.shape[1]] = True
        return Pictures(joined, valid, maps)
