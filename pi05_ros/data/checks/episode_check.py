"""The check of a recorded episode, in one pass over its bag."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pi05_ros.cameras.decoding import PICTURE_TYPES, decode_message
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.sequences import clock_jumped_back
from pi05_ros.data.checks.adopted import adopted_findings, adopted_topics
from pi05_ros.data.checks.ends import ends_findings
from pi05_ros.data.checks.expectations import Expected, expected_topics
from pi05_ros.data.checks.findings import CheckSettings, EpisodeFinding, Severity
from pi05_ros.data.checks.pictures import PictureSeries
from pi05_ros.data.checks.series import Series
from pi05_ros.data.checks.vectors import VectorSeries
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.label_spans import LabelFile
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform, load_platform

_HEADER = "std_msgs/msg/Header"
# Messages whose stamp is the time of a measurement.
_MEASURED = {
    *PICTURE_TYPES,
    "nav_msgs/msg/Odometry",
    "pi05_msgs/msg/CameraSet",
    "pi05_msgs/msg/RobotState",
    "sensor_msgs/msg/CameraInfo",
    "sensor_msgs/msg/JointState",
}
_SETS = "pi05_msgs/msg/CameraSet"
_REPORT_EVERY = 500  # Messages between two progress reports.
# Types whose numbers must be finite, and the fields that hold them.
_NUMBERS = {
    "sensor_msgs/msg/JointState": ("position",),
    "pi05_msgs/msg/ActionChunk": ("data",),
}


@dataclass(frozen=True)
class TopicRow:
    """One topic of the table."""

    topic: str
    type: str
    count: int
    bytes: int
    rate_hz: float  # NaN: below two messages.
    expected_hz: float | None
    lost: int | None  # None: unknown from the sequence numbers.
    longest_gap: float  # Between two neighbours [s]; NaN: below two messages.


@dataclass(frozen=True)
class CheckReport:
    """Result of the check of one bag."""

    path: Path
    facts: EpisodeFacts | None
    seconds: float
    topics: tuple[TopicRow, ...]
    findings: tuple[EpisodeFinding, ...]

    @property
    def passed(self) -> bool:
        """True when no finding is an error."""
        return all(finding.level < Severity.ERROR for finding in self.findings)


def check(
    path: Path,
    settings: CheckSettings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CheckReport:
    """Check a bag.

    Args:
        path: The bag's folder, or one file of it.
        settings: The limits from which on something is a finding.
        progress: Called with the messages read and the messages in all.

    Returns:
        The report. A bag that cannot be read is a finding, too.
    """
    try:
        with BagReader(path) as reader:
            return check_open(reader, settings, progress)
    except BagError as error:
        return CheckReport(
            path, None, 0.0, (), (EpisodeFinding(Severity.ERROR, path.name, str(error)),)
        )


def check_open(
    reader: BagReader,
    settings: CheckSettings | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CheckReport:
    """Check a bag that is open already; see `check`.

    Raises:
        BagError: The bag is damaged.
    """
    return _Check(reader.path, reader, settings or CheckSettings()).run(progress)


@dataclass
class _Check:
    """A check in progress."""

    path: Path
    reader: BagReader
    settings: CheckSettings
    found: list[EpisodeFinding] = field(default_factory=list)

    def run(self, progress: Callable[[int, int], None]) -> CheckReport:
        facts, reader = self.reader.facts, self.reader
        self._platform = self._known_platform(facts)
        if reader.adopted is not None:
            self._expected = adopted_topics(reader.adopted)
        else:
            self._expected = expected_topics(facts, self._platform) if facts else {}
        self._simulated = facts is not None and facts.simulated
        labels = self._labels_beside(facts)
        self._check_bag(facts)
        self._series = {
            name: Series(name, topic.type, _HEADER in _first_field(topic.definition))
            for name, topic in reader.topics.items()
        }
        self._cameras = self._picture_series(facts)
        self._vectors = VectorSeries(labels)
        self._not_finite = dict.fromkeys(reader.topics, 0)
        space = facts.namespace.rstrip("/") if facts else ""
        self._state, self._subtask = f"{space}/robot_state", f"{space}/subtask"
        total = sum(topic.count for topic in reader.topics.values())
        for done, message in enumerate(reader.messages()):
            self._add_message(message)
            if done % _REPORT_EVERY == 0:
                progress(done, total)
        progress(total, total)
        for series in self._series.values():
            self._check_series(series)
        steady = [one for name, one in self._series.items() if one.count and self._is_steady(name)]
        cut_off = facts is not None and bool(facts.recovered or facts.ended)
        self.found += ends_findings(steady, cut_off, self.settings)
        self._check_contents(facts)
        rows = tuple(self._row(series) for _, series in sorted(self._series.items()))
        seconds = max(0, reader.end_ns - reader.start_ns) * 1e-9
        order = sorted(self.found, key=lambda finding: -finding.level)
        return CheckReport(self.path, facts, seconds, rows, tuple(order))

    def _add_message(self, raw: Any) -> None:
        """Add one message of the bag to the series of its topic."""
        series = self._series[raw.topic]
        series.add(raw.log_ns, raw.sequence, raw.data)
        camera = self._cameras.get(raw.topic)
        try:
            if camera is not None:
                camera.add(raw.log_ns, self.reader.decode(raw.topic, raw.data))
            elif raw.topic == self._state:
                self._vectors.add_state(self.reader.decode(raw.topic, raw.data))
            elif raw.topic == self._subtask:
                self._vectors.add_subtask(self.reader.decode(raw.topic, raw.data))
            elif series.type in _NUMBERS:
                message = self.reader.decode(raw.topic, raw.data)
                values = [getattr(message, name) for name in _NUMBERS[series.type]]
                finite = all(np.isfinite(value).all() for value in values)
                self._not_finite[raw.topic] += not finite
        except BagError as error:
            self._add(Severity.ERROR, raw.topic, f"a message cannot be decoded: {error}")

    def _labels_beside(self, facts: EpisodeFacts | None) -> LabelFile | None:
        """The labels beside the bag, which replace its subtasks; None: there are none to use."""
        if facts is None:
            return None
        try:
            labels, _ = label_file.read(label_file.folder_of(self.path), facts)
        except BagError as error:
            self._add(Severity.ERROR, label_file.FILE, str(error))
            return None
        if labels is not None:
            self._expected.pop(f"{facts.namespace.rstrip('/')}/subtask", None)
            author = f" of {labels.author}" if labels.author else ""
            what = f"{len(labels.spans)} spans{author} replace the recorded subtasks"
            self._add(Severity.NOTE, label_file.FILE, what)
        return labels

    def _check_bag(self, facts: EpisodeFacts | None) -> None:
        """Check the facts, the definitions and the presence of topics."""
        reader = self.reader
        if facts is None:
            what = "this is no episode of the suite: only its topics are checked"
            self._add(Severity.WARNING, self.path.name, what)
        else:
            if facts.recovered:
                self._add(Severity.WARNING, self.path.name, f"recovered: {facts.recovered}")
            if facts.ended:
                self._add(
                    Severity.NOTE, self.path.name, f"recording ended by itself: {facts.ended}"
                )
            if not facts.outcome:
                self._add(Severity.NOTE, self.path.name, "not graded: `./pi05 bags grade`")
        for name, topic in reader.topics.items():
            if not topic.definition:
                what = f"the bag has no message definition of {topic.type}"
                self._add(Severity.ERROR, name, what)
        for name, wanted in self._expected.items():
            if name not in reader.topics or reader.topics[name].count == 0:
                level = Severity.ERROR if wanted.needed else Severity.WARNING
                self._add(level, name, "missing: there is no message")

    def _check_series(self, series: Series) -> None:
        """Check rate, gaps, losses and clock of one topic."""
        settings, name = self.settings, series.topic
        if series.short:
            self._add(Severity.ERROR, name, f"{series.short} messages are cut within their header")
        lost = series.lost
        if lost and lost > settings.max_lost * (series.count + lost):
            sent = series.count + lost
            self._add(Severity.ERROR, name, f"{lost} of {sent} messages lost ({lost / sent:.1%})")
        if series.type in _MEASURED:
            self._check_stamps(series)
        expected = self._expected.get(name, Expected(None, False)).rate_hz
        if expected is None or series.count < 2:
            return
        if series.rate_hz < settings.slow * expected:
            what = f"{series.rate_hz:.1f} Hz, {expected:g} Hz are expected"
            self._add(Severity.WARNING, name, what)
        gaps = series.gaps(settings.gap_periods / expected)
        if len(gaps):
            when, longest = gaps[gaps[:, 1].argmax()]
            level = Severity.ERROR if longest > settings.max_gap else Severity.WARNING
            what = f"{len(gaps)} gaps, the longest of {longest:.2f} s at {when:.1f} s"
            self._add(level, name, what)

    def _is_steady(self, topic: str) -> bool:
        """Check whether a topic has messages throughout an episode: states and cameras."""
        return topic != self._subtask and self._expected.get(topic, Expected(None, False)).needed

    def _check_stamps(self, series: Series) -> None:
        """Check order and clock of measurements; a label's stamp may be that of an old picture."""
        is_state = series.topic == self._state
        # A set for the planner may have older pictures than the last one for the policy.
        if series.type != _SETS and (np.diff(series.stamps_ns) < 0).any():
            # The reader of episodes refuses rows that go back.
            level = Severity.ERROR if is_state else Severity.WARNING
            self._add(level, series.topic, "stamps go back in time")
        elif is_state and clock_jumped_back(series.sequences):
            what = "the clock jumped back: rows from before and after are interleaved"
            self._add(Severity.ERROR, series.topic, what)
        offset = series.clock_offset()
        # Topics of an adopted bag are compared with each other instead, by `adopted_findings`.
        if self.reader.adopted is None and abs(offset) > self.settings.max_clock_offset:
            where = "behind" if offset > 0 else "ahead of"
            what = f"stamps are {abs(offset):.1f} s {where} the recorder's clock"
            self._add(Severity.ERROR, series.topic, what)

    def _check_contents(self, facts: EpisodeFacts | None) -> None:
        """Check pictures, vectors and labels."""
        for topic, count in self._not_finite.items():
            if count:
                self._add(Severity.ERROR, topic, f"{count} messages hold NaN or infinity")
        for camera in self._cameras.values():
            self.found += camera.findings(self._simulated)
        self._check_skew()
        if self.reader.adopted is not None:
            self.found += adopted_findings(
                self.reader, self.reader.adopted, self._platform, self.settings
            )
        elif facts is not None:
            self.found += self._vectors.findings(self._state, self._platform, self.settings)

    def _check_skew(self) -> None:
        """Check that the stamps of all cameras have the same offset to the recorder's clock.

        Pictures that are taken together are recorded together: a difference means another clock,
        or a driver that stamps late.
        """
        offsets = {}
        for topic, camera in self._cameras.items():
            offset = self._series[topic].clock_offset()
            if self.reader.adopted is not None and not any(self._series[topic].stamps_ns):
                continue  # Its pictures stand at their log times.
            if math.isfinite(offset):
                offsets[camera.camera] = offset
        if len(offsets) < 2:
            return
        first, last = min(offsets, key=offsets.__getitem__), max(offsets, key=offsets.__getitem__)
        skew = offsets[last] - offsets[first]
        if skew > self.settings.max_skew:
            what = f"the stamps of {last} lie {skew:.3f} s behind those of {first}"
            # A simulator renders cameras one after the other, on shared processors.
            level = Severity.WARNING if self._simulated else Severity.ERROR
            self._add(level, "cameras", what)

    def _picture_series(self, facts: EpisodeFacts | None) -> dict[str, PictureSeries]:
        names = {topic: name for name, topic in facts.cameras.items()} if facts else {}
        series = {}
        for name, topic in self.reader.topics.items():
            if topic.type in PICTURE_TYPES and topic.count:
                series[name] = PictureSeries(
                    names.get(name, "not a camera of the episode"),
                    name,
                    functools.partial(decode_message, topic.type),
                    self.settings,
                )
        return series

    def _known_platform(self, facts: EpisodeFacts | None) -> Platform | None:
        """The episode's platform; None: not known on this machine, or with another layout."""
        if facts is None:
            return None
        try:
            platform = load_platform(facts.platform)
        except ConfigError:
            what = f"platform '{facts.platform}' is not known here: rates and limits are unchecked"
            self._add(Severity.NOTE, self.path.name, what)
            return None
        if facts.names != platform.names:
            what = f"its layout ({len(facts.names)} entries) is not that of {platform.name} here"
            self._add(Severity.ERROR, self.path.name, what)
            return None
        return platform

    def _row(self, series: Series) -> TopicRow:
        gaps = series.gaps(0.0)
        return TopicRow(
            series.topic,
            series.type,
            series.count,
            series.byte_count,
            series.rate_hz,
            self._expected.get(series.topic, Expected(None, False)).rate_hz,
            series.lost,
            float(gaps[:, 1].max()) if len(gaps) else math.nan,
        )

    def _add(self, level: Severity, subject: str, what: str) -> None:
        finding = EpisodeFinding(level, subject, what)
        if finding not in self.found:
            self.found.append(finding)


def _first_field(definition: str) -> str:
    """The type of a message's first field, "" when there is none."""
    for line in definition.splitlines():
        words = line.partition("#")[0].split()
        if len(words) == 2 and "=" not in words[1]:
            package, _, name = words[0].rpartition("/")
            return f"{package.removesuffix('/msg')}/msg/{name}" if package else name
        if line.startswith("==="):
            break
    return ""
