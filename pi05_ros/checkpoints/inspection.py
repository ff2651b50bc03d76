"""Description of a checkpoint as data and as text; the values of its weights are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.stated_statistics import units_of
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import Platform

_LAYOUTS = {"pi05_ros": "ours", "lerobot": "LeRobot's", "openpi": "openpi's"}


def describe(contents: Contents, platforms: Iterable[Platform]) -> dict[str, Any]:
    """Return everything known of a checkpoint as JSON-compatible data."""
    files = sorted({tensor.path for tensor in contents.tensors.values()})
    parts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for name, tensor in contents.tensors.items():
        parts[name.partition(".")[0]] += tensor.elements
        kinds[tensor.dtype] += tensor.elements
    return {
        "path": str(contents.folder),
        "layout": contents.layout,
        "description": contents.description,
        "variant": contents.config.variant,
        "model": asdict(contents.config),
        "weights": [{"file": path.name, "bytes": path.stat().st_size} for path in files],
        "parameters": {**parts, "total": sum(parts.values())},
        "dtypes": dict(kinds),  # Parameters by dtype.
        "training": asdict(contents.training),
        "policy_cameras": list(contents.policy_cameras),
        "planner_cameras": list(contents.planner_cameras),
        "tokenizer": contents.tokenizer.name if contents.tokenizer else None,
        "fast_tokenizer": contents.fast.name if contents.fast else None,
        "statistics": {
            name: [asdict(dimension) for dimension in stats.dimensions]
            for name, stats in contents.norm_stats.items()
        },
        "unnamed_statistics": [
            {"name": stats.name, "state": len(stats.state_low), "action": len(stats.action_low)}
            for stats in contents.unnamed_stats
        ],
        "platforms": {p.name: fit(contents.norm_stats, p) for p in platforms},
        "sha256": {name: record.sha256 for name, record in contents.records.items()},
        "lacks": lacks(contents),
    }


def fit(norm_stats: Mapping[str, NormStats], platform: Platform) -> str:
    """Compare statistics with a platform: "fits", or the difference."""
    if platform.name not in norm_stats:
        return "no statistics"
    return norm_stats[platform.name].difference(platform.names, units_of(platform)) or "fits"


def lacks(contents: Contents) -> list[str]:
    """Return the steps required before a robot can run the checkpoint, one sentence each."""
    missing = []
    if contents.tokenizer is None:
        missing.append("It has no tokenizer: convert it with --tokenizer FILE (PaliGemma's).")
    if not contents.norm_stats and contents.unnamed_stats:
        missing.append(
            "Its statistics do not say which robot they are of: convert it with --platform NAME, "
            "and --norm-stats MAPPING where their entries are not simply that platform's."
        )
    elif not contents.norm_stats:
        missing.append("It has no statistics: convert it with --norm-stats FILE.")
    if contents.layout == "pi05_ros" or missing:
        return missing
    return ["It can be run as it is; converting it adds a manifest that guards its files."]


def page(facts: dict[str, Any]) -> str:
    """Format the result of `describe` as text for a terminal."""
    training = facts["training"]
    size = sum(entry["bytes"] for entry in facts["weights"])
    heads = {"flow": "actions (flow)", "text": "boxes and subtasks", "fast": "FAST tokens"}
    yes = [label for head, label in heads.items() if training[head]] or ["nothing that it says"]
    no = [label for head, label in heads.items() if not training[head]]
    rows = [
        ("checkpoint", facts["path"]),
        ("is", facts["description"] or "not said"),
        ("layout", _LAYOUTS[facts["layout"]]),
        ("variant", f"{facts['variant']} (sizes '{facts['model']['name']}')"),
        ("weights", f"{_size(size)} in {len(facts['weights'])} file(s), {_kinds(facts)}"),
        ("parameters", _parameters(facts["parameters"])),
        ("pictures", _pictures(facts["model"])),
        ("trained for", ", ".join(yes) + (f"; not for {', '.join(no)}" if no else "")),
        ("", "as it says; `pi05 checkpoint probe` measures it"),
        ("goes on", _continuing(training, facts["variant"])),
        ("steps", "not said" if training["step"] is None else f"{training['step']:,}"),
        ("from", training["origin"] or "not said"),
        (
            "chunk",
            f"{facts['model']['horizon']} actions of {facts['model']['action_dim']} entries",
        ),
        ("policy sees", ", ".join(facts["policy_cameras"]) or "not said"),
        ("planner sees", ", ".join(facts["planner_cameras"]) or "not said"),
        ("tokenizer", facts["tokenizer"] or "none"),
        ("FAST", facts["fast_tokenizer"] or "none"),
    ]
    rows += [("platform", f"{name}: {result}") for name, result in facts["platforms"].items()]
    rows += [
        ("unnamed", f"{s['name']}: {s['state']} state and {s['action']} action entries")
        for s in facts["unnamed_statistics"]
    ]
    lines = [f"{label:13}{value}" for label, value in rows]
    for name, dimensions in facts["statistics"].items():
        lines += ["", f"statistics of {name}", *_table(dimensions)]
    if facts["sha256"]:
        lines += ["", "SHA-256"]
        lines += [f"  {digest}  {name}" for name, digest in facts["sha256"].items()]
    if facts["lacks"]:
        lines += ["", *facts["lacks"]]
    return "\n".join(lines)


def _continuing(training: dict[str, Any], variant: str) -> str:
    """Describe the continuation modes of the weights; see `brain.continuation`."""
    if variant == "pi0_fast" or (training["fast"] and not training["flow"]):
        return "from no chunk: FAST tokens are not guided"
    trained = f", trained_rtc up to {training['max_prefix']} committed rows"
    untrained = "; not trained for trained_rtc"
    return "from chunks by rtc" + (trained if training["max_prefix"] else untrained)


def _kinds(facts: dict[str, Any]) -> str:
    total = facts["parameters"]["total"]
    ordered = sorted(facts["dtypes"].items(), key=lambda item: -item[1])
    if len(ordered) == 1:
        return ordered[0][0]
    return ", ".join(f"{count / total:.1%} {kind}" for kind, count in ordered)


def _pictures(model: dict[str, Any]) -> str:
    """Describe the pictures that the weights are given."""
    compact = model["compact_vision"]
    if compact is None:
        side = model["vision"]["image_size"]
        return f"{side} x {side}"
    height, width = compact["height"], compact["width"]
    cameras = [
        f"{name} {width // reduction} x {height // reduction}"
        for name, reduction in compact["cameras"].items()
    ]
    maps = "" if model["grounding"] is None else "; with heat maps of what a text names"
    return f"{width} x {height}, reduced to {', '.join(cameras)}{maps}"


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _parameters(parts: dict[str, int]) -> str:
    by_part = [f"{name} {_short(count)}" for name, count in parts.items() if name != "total"]
    return f"{_short(parts['total'])}: {', '.join(by_part)}"


def _short(count: int) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.2f} B"
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.1f} K"


def _table(dimensions: Sequence[dict[str, Any]]) -> list[str]:
    width = max(len(d["name"]) for d in dimensions)
    lines = [f"     {'entry':{width}}  unit      state 1% to 99%     action 1% to 99%"]
    for index, d in enumerate(dimensions):
        state = f"{d['state_q01']:8.3f} {d['state_q99']:8.3f}"
        action = f"{d['action_q01']:8.3f} {d['action_q99']:8.3f}"
        kind = "relative" if d["relative"] else "absolute"
        lines.append(f"  {index:2} {d['name']:{width}}  {d['unit']:8} {state}  {action} {kind}")
    return lines
