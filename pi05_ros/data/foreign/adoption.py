"""Adoption of a foreign recording: read, divided into episodes, and kept as adopted.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pi05_ros.brain.instructions import text_problem
from pi05_ros.brain.label_text import label_problem
from pi05_ros.data.bags.adopted_file import AdoptedFile, AdoptedSpan, read_adopted, write_adopted
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.metadata import FILE
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.data.episodes.bag_index import BagIndex
from pi05_ros.data.episodes.episode import MODE_RUNNING
from pi05_ros.data.foreign.episode import index_of
from pi05_ros.data.foreign.mapping import ForeignBagError, ForeignMapping, mapping_of
from pi05_ros.data.foreign.recording import Recording, read_recording
from pi05_ros.data.foreign.rows import Rows, rows_of
from pi05_ros.data.foreign.splitting import spans_of
from pi05_ros.data.foreign.survey import Survey, survey


@dataclass(frozen=True)
class EpisodeSummary:
    """One episode of an adopted bag."""

    span: AdoptedSpan
    rows: int
    running: int  # Rows with a command.
    labelled: int  # Rows with a subtask.
    seconds: float
    pictures: Mapping[str, int]  # By camera.


@dataclass(frozen=True)
class Adoption:
    """What a bag and its mapping make."""

    survey: Survey
    file: AdoptedFile
    episodes: tuple[EpisodeSummary, ...]
    notes: tuple[str, ...]  # Sentences on what is odd and no error.


def adopt(path: Path, content: Mapping[str, Any], where: str) -> Adoption:
    """Read a bag through a mapping. Nothing is written.

    Args:
        path: The bag's folder, or one file of it.
        content: Content of the mapping file.
        where: Name of the mapping file, for errors.

    Raises:
        ConfigError: The mapping is not valid.
        BagError: The bag is damaged, not closed, or an episode of the suite already.
        ForeignBagError: The bag does not fit the mapping; all problems that can be found at once.
    """
    mapping = mapping_of(content, where)
    with BagReader(path, as_recorded=True) as reader:
        if reader.facts is not None:
            raise BagError(
                f"{path} is an episode of the suite already ({reader.facts.id}): every verb reads "
                "it as it is"
            )
        found = survey(reader, mapping)
        if found.problems:
            raise ForeignBagError(path, found.problems)
        recording = read_recording(reader, mapping)
        problems = recording.problems or _text_problems(recording)
        if problems:
            raise ForeignBagError(path, problems)
        rows = rows_of(mapping, recording.values)
        problems = _row_problems(recording, rows)
        if problems:
            raise ForeignBagError(path, problems)
        name = (path if path.is_dir() else path.with_suffix("")).resolve().name
        spans, notes = spans_of(recording, rows, name, reader.start_ns, reader.end_ns)
        if not spans:
            raise ForeignBagError(path, [f"split: no episode is left: {'; '.join(notes)}"])
        facts = _facts(mapping, name, Path(where).name, spans, reader.start_ns)
    indices = [index_of(recording, span) for span in spans]
    return Adoption(
        found,
        AdoptedFile(facts, tuple(spans), content),
        tuple(_summary(s, i) for s, i in zip(spans, indices, strict=True)),
        (*notes, *_notes(recording, rows, indices)),
    )


def save_adoption(adoption: Adoption, path: Path, out: Path | None = None) -> Path:
    """Write adopted.yaml into the bag's folder, or into a folder of links to the bag's files.

    Args:
        adoption: The adoption.
        path: The bag.
        out: Parent of the folder of links; None: the bag's own folder.

    Returns:
        Path of the adopted bag.

    Raises:
        BagError: The folder cannot be written to, or the bag is a single file and `out` is None.
    """
    if out is None:
        folder = path if path.is_dir() else path.parent
        if not (folder / FILE).exists() or (not path.is_dir() and not _alone(path)):
            raise BagError(
                f"{path} is no bag's folder (there is no {FILE}, or there are several files): "
                "--out FOLDER makes one, with a link to it"
            )
        _write(folder, adoption.file)
        return folder
    folder = out / adoption.file.facts.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with BagReader(path, as_recorded=True) as reader:
            for file in reader.files:
                link = folder / file.name
                if link.is_symlink() or not link.exists():
                    link.unlink(missing_ok=True)
                    link.symlink_to(file.resolve())
            if path.is_dir():
                text = (path / FILE).read_text(encoding="utf-8")
            else:
                text = reader.metadata.to_yaml()
        write_atomically(folder / FILE, text)
    except OSError as error:
        raise BagError(f"{folder} cannot be written ({error.strerror or error})") from error
    _write(folder, adoption.file)
    return folder


def _write(folder: Path, file: AdoptedFile) -> None:
    """Write adopted.yaml; grades in the one before stay."""
    try:
        older = read_adopted(folder)
    except BagError:
        older = None  # Broken: this one takes its place, as its error says.
    write_adopted(folder, file if older is None else file.with_grades_of(older))


def _alone(path: Path) -> bool:
    return len(list(path.parent.glob(f"*{path.suffix}"))) == 1


def _facts(
    mapping: ForeignMapping, name: str, where: str, spans: Sequence[AdoptedSpan], start_ns: int
) -> EpisodeFacts:
    """The facts of the bag; they and its labels stay the same when it is divided otherwise."""
    states, actions = mapping.state_names, mapping.action_names
    units = {entry.name: entry.unit for entry in mapping.entries}
    return EpisodeFacts(
        id=name,
        task=spans[0].task,
        notes=f"adopted with {where}",
        platform=mapping.robot,
        names=states,
        units=tuple(units[state] for state in states),
        rate_hz=mapping.rate_hz,
        cameras={camera.name: camera.topic for camera in mapping.cameras},
        rotations={c.name: c.rotate for c in mapping.cameras if c.rotate},
        started_ns=start_ns,
        outcome=spans[0].outcome if len(spans) == 1 else "",
        action_names=() if actions == states else actions,
    )


def _text_problems(recording: Recording) -> list[str]:
    """Texts that are no outcome, or that a prompt cannot hold; none of them is changed."""
    mapping, problems = recording.mapping, []
    for key, topic, problem_of, advice in (
        ("subtask_topic", mapping.subtask_topic, label_problem, "`./pi05 bags label` labels"),
        ("task_topic", mapping.task_topic, text_problem, "`task` gives one to all episodes"),
        ("outcome_topic", mapping.outcome_topic, _outcome_problem, "`./pi05 bags grade` grades"),
    ):
        for text in sorted({str(text) for _, text in recording.texts.get(topic, [])} - {""}):
            problem = problem_of(text)
            if problem:
                problems.append(
                    f"{key}: {topic}: {text[:60]!r}: {problem}; leave {key} out: {advice}"
                )
    return problems


def _outcome_problem(text: str) -> str:
    known = ("success", "failure", "true", "false")  # A Bool's are the last two.
    return "" if text.lower() in known else "wanted success or failure"


def _row_problems(recording: Recording, rows: Rows) -> list[str]:
    """Sentences on why there is nothing to learn from the rows."""
    mapping = recording.mapping
    if not len(rows.times_ns):
        topics = dict.fromkeys(s.topic for k, _, s in mapping.sources() if k == "state")
        ranges = {topic: recording.series[topic].log_range_ns for topic in topics}
        zero = min(start for start, _ in ranges.values())
        spans = [
            f"{topic} {(start - zero) * 1e-9:.1f} s to {(stop - zero) * 1e-9:.1f} s"
            for topic, (start, stop) in ranges.items()
        ]
        return [
            "wanted a time at which every topic of the state has a value at most max_age_s old, "
            f"found none of {rows.left_out} rows: {', '.join(spans)} from the first message on; "
            "raise max_age_s, or write `when_old` for topics that are silent at rest"
        ]
    problems = []
    for kind, values, names in (
        ("state", rows.states, mapping.state_names),
        ("action", rows.actions, mapping.action_names),
    ):
        bad = ~np.isfinite(values)
        for name in np.array(names)[bad.all(axis=0)].tolist():
            source = next(
                (s for k, e, s in mapping.sources() if (k, e.name) == (kind, name)), None
            )
            topic = source.topic if source is not None else "its own state"
            problems.append(
                f"entries: {name}: {kind}: wanted numbers, found none in {len(values)} rows "
                f"({topic} sends NaN, or nothing while there are states); raise max_age_s, or "
                "name another topic"
            )
    if not problems and not (rows.modes == MODE_RUNNING).any():
        problems.append(
            f"wanted rows with all of {len(mapping.action_names)} actions, found none of "
            f"{len(rows.modes)}: their topics are silent at different times; raise max_age_s, or "
            "write `when_old`"
        )
    return problems


def _summary(span: AdoptedSpan, index: BagIndex) -> EpisodeSummary:
    labelled = sum(label.stop_row - label.start_row for label in index.labels)
    times = index.times_ns
    return EpisodeSummary(
        span,
        len(times),
        int((index.modes == MODE_RUNNING).sum()),
        labelled,
        float(times[-1] - times[0]) * 1e-9,
        {name: len(frames.times_ns) for name, frames in index.frames.items()},
    )


def _notes(recording: Recording, rows: Rows, indices: list[BagIndex]) -> list[str]:
    mapping, notes = recording.mapping, []
    total = len(rows.times_ns) + rows.left_out
    for topic, count in rows.oldest.items():
        notes.append(f"{topic}: {count} of {total} rows are not there, since it was silent")
    for topic, series in recording.series.items():
        if series.doubled:
            notes.append(
                f"{topic}: {series.doubled} messages have the stamp of another one: the later "
                "one counts"
            )
    for kind, values, names in (
        ("state", rows.states, mapping.state_names),
        ("action", rows.actions, mapping.action_names),
    ):
        bad = (~np.isfinite(values)).sum(axis=0)
        for name, count in zip(names, bad.tolist(), strict=True):
            if count and not (kind == "action" and _is_next(mapping, name)):
                notes.append(
                    f"{name}: {kind}: {count} of {len(values)} rows have no finite value and do "
                    "not train"
                )
    for camera in mapping.cameras:
        left_out = recording.frames(camera.name).left_out
        if left_out:
            notes.append(
                f"camera {camera.name}: {left_out} pictures are left out: old, or unstamped"
            )
    if not any(index.labels for index in indices):
        notes.append("no row has a subtask, so none trains yet: `./pi05 bags label` adds them")
    if not mapping.task and not mapping.task_topic:
        notes.append("no task is given: `task` or `task_topic`")
    return notes


def _is_next(mapping: ForeignMapping, name: str) -> bool:
    return any(entry.next_state for entry in mapping.entries if entry.name == name)
