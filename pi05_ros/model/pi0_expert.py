"""π0's action expert (arXiv 2410.24164, appendix B): time within the actions, state as a token.

The paper's W₃ · swish(W₂ · concat(W₁ · a, φ(τ))) makes an action's token of the action and the
time. Norms are plain. The state q enters as one more token, linearly; it stands before the actions
and does not see them, while they see it. So what it leaves behind depends on the observation alone
and belongs to the memory: `remember_state` puts it there, and from then on π0 differs from π0.5 by
one position of memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import ModelConfig
from pi05_ros.model.expert import ActionExpert, embed_tau
from pi05_ros.model.transformer import LayerMemory, RMSNorm, rotation_of


class Pi0Expert(ActionExpert):
    """π0's: the time enters with every action, the state as a token before them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, RMSNorm)
        width = config.expert.width
        self.state_in = nn.Linear(config.action_dim, width)
        self.action_time_in = nn.Linear(2 * width, width)  # Of the action's half and the time's.
        self.action_time_out = nn.Linear(width, width)

    def modulate(self, tau: Tensor) -> Tensor:
        """The time's share in the first layer of the MLP, at times tau (B,): (1, B, 1, W).

        At times (B, horizon): (1, B, horizon, W).
        """
        weight = self.action_time_in.weight
        embedded = embed_tau(tau, weight.shape[0]).to(weight.dtype)
        _, of_time = weight.chunk(2, dim=1)
        share = F.linear(embedded, of_time, self.action_time_in.bias)[None]
        return share[:, :, None] if tau.ndim == 1 else share

    def embed(self, noisy: Tensor, modulation: Tensor) -> Tensor:
        """One token an action, with the time mixed in."""
        of_action, _ = self.action_time_in.weight.chunk(2, dim=1)
        mixed = F.linear(self.action_in(noisy), of_action) + modulation[0]  # (B, horizon, W)
        return self.action_time_out(F.silu(mixed))

    def norm_modulation(self, modulation: Tensor) -> Sequence[Tensor | None]:
        """Nothing: the norms are plain."""
        return [None] * (2 * len(self.layers) + 1)

    def remember_state(
        self,
        state: Tensor,
        positions: Tensor,
        memory: Sequence[LayerMemory],
        mask: Tensor | None = None,
    ) -> tuple[LayerMemory, ...]:
        """Runs the state's token through the layers, for the keys and values that it leaves.

        Args:
            state: Normalised and padded, (B, action_dim).
            positions: (B, 1) or (1,): where the prefix ends.
            memory: The language model's, one a layer, S positions.
            mask: From `masks.attention_mask`, over S + 1 keys; None: all are seen.

        Returns:
            The memory with the state's position at its end, one a layer.
        """
        x = self.state_in(state.to(self.state_in.weight.dtype))[:, None]  # (B, 1, W)
        rotation = rotation_of(positions, self.config.language.head_dim)
        extended = []
        for layer, prefix in zip(self.layers, memory, strict=True):
            x, present = layer(x, rotation, prefix, mask)
            extended.append(present)
        return tuple(extended)
