"""The verb `pi05 checkpoint`: inspect, convert, probe, ship."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.cli.common.progress import Progress
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.platforms.platform import Platform, load_platform, platform_names

_DTYPES = ("float32", "bfloat16", "float16")


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 checkpoint`.

    Returns:
        0 for success, 1 when a checkpoint is refused, 2 for a wrong command line, 130
        after Ctrl-C.
    """
    parsed = parser().parse_args(arguments)
    try:
        verbs = {"inspect": _inspect, "convert": _convert, "probe": _probe, "ship": _ship}
        return verbs[parsed.verb](parsed)
    except Pi05Error as error:
        print(f"pi05 checkpoint {parsed.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\npi05 checkpoint {parsed.verb}: stopped", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        prog="pi05 checkpoint", description="Inspect, convert, probe and ship checkpoints."
    )
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")

    inspect = verbs.add_parser(
        "inspect", help="show the contents of a checkpoint, and what is missing"
    )
    inspect.add_argument(
        "path",
        help="folder in the layout of pi05_ros, LeRobot or openpi, or the name of a shipped one",
    )
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.add_argument("--hashes", action="store_true", help="verify the SHA-256 of each file")

    convert = verbs.add_parser(
        "convert", help="convert a checkpoint to the layout of pi05_ros or LeRobot"
    )
    convert.add_argument("source", type=Path, help="checkpoint to read")
    convert.add_argument("target", type=Path, help="new folder")
    convert.add_argument(
        "--base",
        type=Path,
        metavar="CHECKPOINT",
        help="the source is a LoRA adapter (peft): merge it into this checkpoint, which it was "
        "trained on",
    )
    convert.add_argument(
        "--to", choices=("pi05_ros", "lerobot"), default="pi05_ros", help="layout"
    )
    convert.add_argument("--dtype", choices=_DTYPES, help="data type; default: unchanged")
    convert.add_argument(
        "--tokenizer", type=Path, help="PaliGemma's tokenizer.json or tokenizer.model"
    )
    convert.add_argument(
        "--fast-tokenizer", type=Path, help="fast_tokenizer.json, or the public folder"
    )
    convert.add_argument("--platform", help="robot of the statistics: name or YAML file")
    convert.add_argument(
        "--norm-stats",
        type=Path,
        help="a norm_stats.json, or a YAML file that names the entries of the source",
    )

    convert.add_argument(
        "--cameras",
        type=lambda text: tuple(name.strip() for name in text.split(",")),
        default=(),
        metavar="NAME,NAME",
        help="the robot's names for the source's cameras, in its order: front,left_wrist",
    )

    probe = verbs.add_parser(
        "probe", help="load a checkpoint, and measure whether it acts and writes subtasks"
    )
    probe.add_argument("path", help="folder, name of a shipped one, or random:PRESET?seed=N")
    probe.add_argument("--platform", default="mobile_18dof", help="robot: name or YAML")
    probe.add_argument("--device", default="cpu", help="cpu or cuda; default: cpu")
    probe.add_argument("--dtype", choices=_DTYPES, default="float32", help="data type")
    probe.add_argument("--json", action="store_true", help="print JSON")

    ship = verbs.add_parser(
        "ship", help="write compact weights with a model card, for config/checkpoints"
    )
    ship.add_argument("source", help="folder of a run (its best), or of a checkpoint")
    ship.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder")
    ship.add_argument(
        "--dtype",
        choices=_DTYPES,
        default="float16",
        help="data type of the file; default: float16, which keeps chunks closest for its size",
    )
    ship.add_argument(
        "--card",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.json",
        help="figures for the model card: gates.json of `eval gates`, summary.json of `eval`",
    )
    for verb in (inspect, convert, probe):
        verb.add_argument("--model", help="preset of the sizes, for public weights without them")
    probe.add_argument("--tokenizer", type=Path, help="tokenizer file, where the folder has none")
    return root


def _inspect(parsed: argparse.Namespace) -> int:
    from pi05_ros.checkpoints.checkpoint import read_contents
    from pi05_ros.checkpoints.inspection import describe, page
    from pi05_ros.checkpoints.shipped import existing_folder, named_checkpoint
    from pi05_ros.checkpoints.storage.manifest import ManifestCheck
    from pi05_ros.model.config import load_preset

    folder = existing_folder(named_checkpoint(parsed.path))
    contents = read_contents(folder, load_preset(parsed.model) if parsed.model else None)
    check = ManifestCheck(contents.folder, contents.records, parsed.hashes)
    try:
        check.finish()
    finally:
        check.close()
    facts = describe(contents, [load_platform(name) for name in platform_names()])
    print(json.dumps(facts, indent=1, ensure_ascii=False) if parsed.json else page(facts))
    return 0


def _convert(parsed: argparse.Namespace) -> int:
    import torch

    from pi05_ros.checkpoints.checkpoint import read_contents
    from pi05_ros.checkpoints.conversion import bytes_to_write, convert
    from pi05_ros.checkpoints.inspection import lacks
    from pi05_ros.checkpoints.merging import merge_adapter
    from pi05_ros.checkpoints.stated_statistics import stated_statistics
    from pi05_ros.model.config import load_preset

    dtype = getattr(torch, parsed.dtype) if parsed.dtype else None
    platform = _platform(parsed.platform)
    sizes = load_preset(parsed.model) if parsed.model else None
    contents = read_contents(parsed.base or parsed.source, sizes)
    if parsed.base:
        contents = merge_adapter(parsed.source, contents, sizes)
    own = platform is not None and platform.name in contents.norm_stats and not parsed.norm_stats
    stats = {} if own else stated_statistics(contents, platform, parsed.norm_stats)
    if platform is not None and not own and not stats:
        raise ConfigError(
            f"--platform {platform.name}",
            f"{parsed.source} has no statistics; give them with --norm-stats",
        )
    with Progress("writing", bytes_to_write(contents, parsed.to, dtype), in_bytes=True) as bar:
        note = convert(
            contents,
            parsed.target,
            to=parsed.to,
            dtype=dtype,
            tokenizer=parsed.tokenizer,
            fast_tokenizer=parsed.fast_tokenizer,
            norm_stats=stats,
            platform=platform.name if platform else "",
            policy_cameras=platform.policy_cameras if platform else (),
            cameras=parsed.cameras,
            progress=bar.advance,
        )
    if note:
        print(f"note: {note}")
    print(f"wrote {parsed.target}")
    if parsed.to == "pi05_ros":
        for line in lacks(read_contents(parsed.target)):
            print(f"note: {line}")
    return 0


def _probe(parsed: argparse.Namespace) -> int:
    import torch

    from pi05_ros.checkpoints.checkpoint import load_checkpoint, open_checkpoint
    from pi05_ros.evaluation.probe.probe import Probe
    from pi05_ros.evaluation.probe.probe_page import probe_facts, probe_page
    from pi05_ros.evaluation.probe.scenes import drawn_scenes, mock_home_scenes
    from pi05_ros.inference.model_brain import stats_for
    from pi05_ros.model.config import load_preset

    platform = load_platform(parsed.platform)
    dtype = getattr(torch, parsed.dtype)
    try:
        torch.empty(0, device=parsed.device)
    except (RuntimeError, AssertionError) as error:  # torch has no narrower ones.
        raise ConfigError("--device", f"'{parsed.device}' cannot be used ({error})") from error
    _log(f"loading {parsed.path}")
    if parsed.tokenizer or parsed.model:
        checkpoint = load_checkpoint(
            Path(parsed.path),
            dtype,
            parsed.device,
            tokenizer=parsed.tokenizer,
            model_config=load_preset(parsed.model) if parsed.model else None,
        )
    else:
        checkpoint = open_checkpoint(parsed.path, dtype, parsed.device)
    stats = None
    if checkpoint.is_random or checkpoint.norm_stats:
        stats = stats_for(checkpoint, platform)
    else:
        _log(f"no statistics of {platform.name}: the state is replaced by the middle of its range")
    size = checkpoint.model.config.picture_size
    try:
        scenes = mock_home_scenes(platform, size)
    except ImportError as error:
        _log(f"no mock home here ({error}): coloured squares instead")
        scenes = drawn_scenes(platform, size)
    report = Probe(checkpoint, platform, stats, _log).run(scenes)
    facts = probe_facts(report)
    print(json.dumps(facts, indent=1, ensure_ascii=False) if parsed.json else probe_page(report))
    return 0


def _ship(parsed: argparse.Namespace) -> int:
    import torch

    from pi05_ros.evaluation.shipping.ship import CARD, ship

    done = ship(parsed.source, parsed.out, getattr(torch, parsed.dtype), parsed.card)
    print(f"wrote {done.folder} ({done.size / 1e6:.1f} MB of weights) from {done.source}")
    print(f"read {done.folder / CARD} before it is committed")
    return 0


def _platform(name: str | None) -> Platform | None:
    return load_platform(name) if name else None


def _log(line: str) -> None:
    print(line, file=sys.stderr)
