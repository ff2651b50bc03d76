"""The SigLIP vision tower (arXiv 2303.15343): one token per patch of a picture.

Shapes: N pictures, T tokens of a picture, H heads, W width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import VisionConfig
from pi05_ros.model.transformer import NORM_EPSILON


class VisionAttention(nn.Module):
    """Multi-head attention of all patches to all patches, with biases.

    Args:
        width: W.
        heads: H; divides W.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within each picture: (N, T, W) → (N, T, W)."""
        queries, keys, values = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (N, H, T, W/H)
            for projection in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(queries, keys, values)  # (N, H, T, W/H)
        return self.output(mixed.transpose(1, 2).flatten(2))


class VisionLayer(nn.Module):
    """A pre-norm ViT layer.

    Args:
        config: Sizes of the tower.
    """

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width, eps=NORM_EPSILON)
        self.attention = VisionAttention(config.width, config.heads)
        self.mlp_norm = nn.LayerNorm(config.width, eps=NORM_EPSILON)
        self.mlp_in = nn.Linear(config.width, config.mlp_width)
        self.mlp_out = nn.Linear(config.mlp_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """Run the layer: (N, T, W) → (N, T, W)."""
        x = x + self.attention(self.attention_norm(x))
        hidden = F.gelu(self.mlp_in(self.mlp_norm(x)), approximate="tanh")
        return x + self.mlp_out(hidden)


class VisionTower(nn.Module):
    """The tower, and the linear projection of its tokens to the language model's width.

    Args:
        config: Sizes of the tower.
        language_width: Width of the output tokens.
    """

    def __init__(self, config: VisionConfig, language_width: int) -> None:
        super().__init__()
        self.patch_embedding = nn.Conv2d(
            3, config.width, kernel_size=config.patch_size, stride=config.patch_size
        )
        self.position_embedding = nn.Parameter(torch.zeros(config.tokens, config.width))
        self.layers = nn.ModuleList(VisionLayer(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, eps=NORM_EPSILON)
        self.projector = nn.Linear(config.width, language_width)

    def forward(self, images: Tensor) -> Tensor:
        """Embed pictures.

        Args:
            images: (N, 3, image_size, image_size), rgb in [-1, 1], the tower's dtype.

        Returns:
            (N, T, language width), patches row by row. Not scaled: the public weights scale text
            embeddings by √width, image embeddings not at all.
        """
        x = self.patch_embedding(images).flatten(2).transpose(1, 2)  # (N, T, W)
        x = x + self.position_embedding
        for layer in self.layers:
            x = layer(x)
        return self.projector(self.norm(x))
