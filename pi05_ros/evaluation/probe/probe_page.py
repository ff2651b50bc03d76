"""The report of a probe, for people and as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pi05_ros.evaluation.probe.judge import Sentence, Verdict
from pi05_ros.evaluation.probe.probe import ProbeReport

_CAN = {True: "yes", None: "in part", False: "no"}


def probe_facts(report: ProbeReport) -> dict[str, Any]:
    """The report as JSON takes it."""
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
    """The report for people: the verdict first, then what it rests on."""
    lines = [f"This checkpoint {report.summary}.", ""]
    rows: list[tuple[str, Verdict | None]] = [
        ("acts (flow)", report.flow),
        ("speaks (subtasks)", report.text),
        ("writes FAST", report.fast),
    ]
    for label, verdict in rows:
        said = f"{_CAN[verdict.can]}: {verdict.reason}" if verdict else "not asked: it has none"
        lines.append(f"{label:18} {said}")
    if report.text.can is not True:
        lines += [
            "",
            "The planner needs a head that speaks. With these weights a person speaks the",
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
