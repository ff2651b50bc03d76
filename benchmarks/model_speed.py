"""How long π0.5 takes: pictures, prefix, one flow step, a chunk, a token. Medians, any preset.

python benchmarks/model_speed.py --preset nano --threads 1
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from pi05_ros.inference.engine import Pi05Engine
from pi05_ros.model import prompts
from pi05_ros.model.checkpoint import Checkpoint, make_tokenizer
from pi05_ros.model.config import load_preset, preset_names
from pi05_ros.model.decoding import decode_text
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.tokenizer import BEGIN

NEVER = -1  # An end of sequence that no vocabulary holds.


def measure(function: Callable[[], object], repeats: int, device: torch.device) -> list[float]:
    """Times of `repeats` calls after two that do not count [ms]."""
    times = []
    for _ in range(repeats + 2):
        _synchronize(device)
        start = time.perf_counter()
        function()
        _synchronize(device)
        times.append((time.perf_counter() - start) * 1e3)
    return times[2:]


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def build(preset: str, device: torch.device, dtype: torch.dtype) -> Pi05:
    """A model with weights drawn at random; large ones are drawn on the device itself."""
    config = load_preset(preset)
    with torch.device("meta"):
        model = Pi05(config)
    model = model.to(dtype).to_empty(device=device)
    if device.type == "cpu":
        draw_weights(model, seed=0, adaptive_scale=1.0)
    else:
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.02)
    return model.eval().requires_grad_(False)


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="nano", choices=preset_names())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=1, help="of torch, on the CPU")
    parser.add_argument("--cameras", type=int, default=3, help="of the chunk; text has one more")
    parser.add_argument("--tokens", type=int, default=20, help="tokens of text")
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device, dtype = torch.device(options.device), getattr(torch, options.dtype)
    model = build(options.preset, device, dtype)
    config = model.config
    draw = np.random.default_rng(0)
    shape = (options.cameras + 1, 3, config.vision.image_size, config.vision.image_size)
    images = torch.from_numpy(draw.integers(0, 256, shape, np.uint8)).to(device)
    if config.tokenizer == "bytes":
        tokenizer = make_tokenizer(config)
        prompt = prompts.low_level("pick up the plate", draw.uniform(-1, 1, 19))
        ids = [BEGIN, *tokenizer.encode(prompt)]
    else:
        ids = draw.integers(4, 256000, config.max_prompt_tokens).tolist()
    noise = torch.randn(1, config.horizon, config.action_dim, device=device)

    with torch.inference_mode():
        text = model.language.embed(torch.tensor([ids], device=device))

        def sequence(cameras: int) -> torch.Tensor:
            return torch.cat([model.embed_images(images[:cameras]).flatten(0, 1)[None], text], 1)

        few, all_ = sequence(options.cameras), sequence(options.cameras + 1)
        modulation = model.modulations(config.flow_steps)
        _, context = model.read_tail(few, tail=0)
        token = torch.tensor([[5]], device=device)

        def chunk() -> None:
            _, fresh = model.read_tail(sequence(options.cameras), tail=0)
            model.sample_actions(fresh, noise, config.flow_steps, modulation)

        def subtask() -> None:
            read = model.read_tail(sequence(options.cameras + 1), tail=1)
            decode_text(model, *read, end=NEVER, limit=options.tokens)

        cases: dict[str, Callable[[], object]] = {
            f"pictures, {options.cameras}": lambda: model.embed_images(images[: options.cameras]),
            f"prefix, {few.shape[1]} tokens": lambda: model.read_tail(few, tail=0),
            "one flow step": lambda: model.velocity(noise, modulation[:, :1], context),
            f"chunk, all of it, {config.flow_steps} steps": chunk,
            f"prefix for text, {all_.shape[1]} tokens": lambda: model.read_tail(all_, tail=1),
            "one token of text": lambda: model.write(token, context),
            f"subtask, all of it, {options.tokens} tokens": subtask,
        }
        results = {name: measure(case, options.repeats, device) for name, case in cases.items()}
        if config.tokenizer == "bytes":
            engine = Pi05Engine(Checkpoint(model, tokenizer))
            cameras = {
                f"camera {i}": images[i].permute(1, 2, 0).cpu().numpy().copy() for i in range(3)
            }
            results["engine: chunk, pictures known"] = measure(
                lambda: engine.draw_actions(cameras, prompt), options.repeats, device
            )

    size = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"{options.preset}, {size / 1e6:.1f} M parameters, {options.dtype} on {options.device}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    print(f"{'ms':38s}{'median':>9s}{'least':>9s}{'most':>9s}")
    for name, times in results.items():
        print(f"{name:38s}{statistics.median(times):9.1f}{min(times):9.1f}{max(times):9.1f}")


if __name__ == "__main__":
    main()
