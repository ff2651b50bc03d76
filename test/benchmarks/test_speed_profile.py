"""Classification of operators and kernels."""

import pytest
import torch
from speed.profile import Shares, profile, sums


def test_operators_and_kernels_are_told_apart():
    matrices = ["aten::mm", "aten::addmm", "aten::mkldnn_convolution", "sm90_xmma_gemm_bf16", "mm"]
    attention = ["aten::_scaled_dot_product_flash_attention_for_cpu", "fmha_cutlassF_bf16"]
    rest = ["aten::_fused_rms_norm", "aten::mul", "aten::matmul", "aten::linear", "aten::gelu"]
    events = [(name, 1.0) for name in (*matrices, *attention, *rest)]
    assert sums(events) == (5.0, 2.0)


def test_a_line_holds_parts_of_the_whole():
    shares = Shares(matrices=0.05, attention=0.02, total=0.1)
    assert shares.rest == pytest.approx(0.03)
    assert shares.line("x") == "| x | 100.0 | 50.0 (50%) | 20.0 (20%) | 30.0 (30%) |"


def test_every_run_is_another_and_only_the_recorded_ones_are_summed():
    seen: list[int] = []
    left, right = torch.ones(64, 64), torch.ones(64, 64)

    def run(round_: int) -> None:
        seen.append(round_)
        left @ right
        left + right

    shares = profile(run, torch.device("cpu"), runs=3)
    assert len(seen) == len(set(seen)) == 8 and max(seen) < 0
    assert shares.matrices > 0 and shares.attention == 0
