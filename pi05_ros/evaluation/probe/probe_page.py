"""The results of a probe as text and as JSON types."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pi05_ros.evaluation.probe.judge import Ability, Sentence
from pi05_ros.evaluation.probe.probe import ProbeReport

_CAN = {True: "yes", None: "in part", False: "no"}


def probe_facts(report: ProbeReport) -> dict[str, Any]:
    """The results as JSON types."""
    return {
        "summary": report.summary,
        "text": asdict(report.text),
        "flow": asdict(report.flow) if report.flow else None,
        "fast": asdict(report.fast) if report.fast else None,
        "sentences": [_sentence(sentence) for sentence in report.sentences],
        "chunks": [asdict(facts) for facts in report.chunks],
        "fast_answers": [_sentence(answer) for answer in report.fast_answers],
    }


def probe_page(report: ProbeReport) -> str:
    """The results as text: the abilities first, then the measured values."""
    lines = [f"This checkpoint {report.summary}.", ""]
    rows: list[tuple[str, Ability | None]] = [
        ("acts (flow)", report.flow),
        ("speaks (subtasks)", report.text),
        ("writes FAST", report.fast),
    ]
    for label, ability in rows:
        text = f"{_CAN[ability.can]}: {ability.reason}" if ability else "not tested: it has none"
        lines.append(f"{label:18} {text}")
    if report.text.can is not True:
        lines += [
            "",
            "The planner requires a trained text head. With these weights an operator gives the",
        ]
        lines += ["subtasks (service `instruct`), or the text head has to be trained first."]
    lines += ["", "chunks              range    spread   roughness (noise has 1.41)"]
    for facts in report.chunks:
        lines.append(
            f"  {facts.lowest:9.3f} to {facts.highest:7.3f}  {facts.spread:7.3f}   "
            f"{facts.roughness:.2f}{'' if facts.finite else '   NOT FINITE'}"
        )
    lines += ["", "sentences     probability  entropy  tokens  boxes"]
    for sentence in (*report.sentences, *report.fast_answers):
        faults = ", ".join(sentence.faults) or "good"
        lines.append(
            f"  {sentence.probability:17.2f} {sentence.entropy:8.2f} {len(sentence.tokens):7} "
            f"{sentence.boxes:6}  {faults}"
        )
        lines.append(f"      {sentence.prompt.partition(', State')[0]!r} → {sentence.text[:72]!r}")
    return "\n".join(lines)


def _sentence(sentence: Sentence) -> dict[str, Any]:
    return {
        **asdict(sentence),
        "repeated": sentence.repeated,
        "faults": list(sentence.faults),
    }
