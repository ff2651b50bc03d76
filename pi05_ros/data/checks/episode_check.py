"""One pass over a bag: everything that is looked for, collected and judged."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pi05_ros.cameras.decoding import PICTURE_TYPES, decode_message
from pi05_ros.data.bags.errors import BagError
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.sequences import clock_jumped_back
from pi05_ros.data.checks.ends import ends_findings
from pi05_ros.data.checks.expectations import Expected, expected_topics
from pi05_ros.data.checks.findings import CheckSettings, Finding, Level
from pi05_ros.data.checks.pictures import PictureSeries
from pi05_ros.data.checks.series import Series
from pi05_ros.data.checks.vectors import VectorSeries
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform, load_platform

_HEADER = "std_msgs/msg/Header"
# Messages whose stamp says when something was measured.
_MEASURED = {
    *PICTURE_TYPES,
    "nav_msgs/msg/Odometry",
    "pi05_msgs/msg/CameraSet",
    "pi05_msgs/msg/RobotState",
    "sensor_msgs/msg/CameraInfo",
    "sensor_msgs/msg/JointState",
}
_TELL_EVERY = 500  # Messages.
# Types whose numbers must be finite, and where those are.
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
    lost: int | None  # None: the numbers do not tell.
    longest_gap: float  # Between two neighbours [s]; NaN: below two messages.


@dataclass(frozen=True)
class Report:
    """What is known of one bag after the check."""

    path: Path
    facts: EpisodeFacts | None
    seconds: float
    topics: tuple[TopicRow, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether there is no error."""
        return all(finding.level < Level.ERROR for finding in self.findings)


def check(
    path: Path,
    settings: CheckSettings | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Checks a bag.

    Args:
        path: Its folder, or one file of it.
        settings: From what on something is found.
        tell: Progress: messages read, and how many there are.

    Returns:
        What was found. A bag that cannot be read is a finding, too.
    """
    try:
        with BagReader(path) as reader:
            return check_open(reader, settings, tell)
    except BagError as error:
        return Report(path, None, 0.0, (), (Finding(Level.ERROR, path.name, str(error)),))


def check_open(
    reader: BagReader,
    settings: CheckSettings | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Check a bag that is open already; see `check`.

    Raises:
        BagError: The bag is damaged.
    """
    return _Check(reader.path, reader, settings or CheckSettings()).run(tell)


@dataclass
class _Check:
    """A check in progress."""

    path: Path
    reader: BagReader
    settings: CheckSettings
    found: list[Finding] = field(default_factory=list)

    def run(self, tell: Callable[[int, int], None]) -> Report:
        facts, reader = self.reader.facts, self.reader
        self._platform = self._known_platform(facts)
        self._expected = expected_topics(facts, self._platform) if facts else {}
        self._simulated = facts is not None and facts.simulated
        self._judge_bag(facts)
        self._series = {
            name: Series(name, topic.type, _HEADER in _first_field(topic.definition))
            for name, topic in reader.topics.items()
        }
        self._cameras = self._picture_series(facts)
        self._vectors = VectorSeries()
        self._not_finite = dict.fromkeys(reader.topics, 0)
        space = facts.namespace.rstrip("/") if facts else ""
        self._state, self._subtask = f"{space}/robot_state", f"{space}/subtask"
        total = sum(topic.count for topic in reader.topics.values())
        for done, message in enumerate(reader.messages()):
            self._take(message)
            if done % _TELL_EVERY == 0:
                tell(done, total)
        tell(total, total)
        for series in self._series.values():
            self._judge_series(series)
        steady = [one for name, one in self._series.items() if one.count and self._is_steady(name)]
        cut_off = facts is not None and bool(facts.recovered or facts.ended)
        self.found += ends_findings(steady, cut_off, self.settings)
        self._judge_contents(facts)
        rows = tuple(self._row(series) for _, series in sorted(self._series.items()))
        seconds = max(0, reader.end_ns - reader.start_ns) * 1e-9
        order = sorted(self.found, key=lambda finding: -finding.level)
        return Report(self.path, facts, seconds, rows, tuple(order))

    def _take(self, raw: Any) -> None:
        """Takes one message of the bag."""
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
            self._say(Level.ERROR, raw.topic, f"a message cannot be decoded: {error}")

    def _judge_bag(self, facts: EpisodeFacts | None) -> None:
        """What the bag says of itself."""
        reader = self.reader
        if facts is None:
            said = "this is no episode of the suite: only its topics are looked at"
            self._say(Level.WARNING, self.path.name, said)
        else:
            if facts.recovered:
                self._say(Level.WARNING, self.path.name, f"recovered: {facts.recovered}")
            if facts.ended:
                self._say(Level.NOTE, self.path.name, f"recording ended by itself: {facts.ended}")
            if not facts.outcome:
                self._say(Level.NOTE, self.path.name, "nobody said how it went: `bags grade`")
        for name, topic in reader.topics.items():
            if not topic.definition:
                said = f"the bag does not say what {topic.type} is: no message definition"
                self._say(Level.ERROR, name, said)
        for name, wanted in self._expected.items():
            if name not in reader.topics or reader.topics[name].count == 0:
                level = Level.ERROR if wanted.needed else Level.WARNING
                self._say(level, name, "missing: there is no message")

    def _judge_series(self, series: Series) -> None:
        """Rate, gaps, losses and clock of one topic."""
        settings, name = self.settings, series.topic
        if series.short:
            self._say(Level.ERROR, name, f"{series.short} messages are cut within their header")
        lost = series.lost
        if lost and lost > settings.max_lost * (series.count + lost):
            sent = series.count + lost
            self._say(Level.ERROR, name, f"{lost} of {sent} messages lost ({lost / sent:.1%})")
        if series.type in _MEASURED:
            self._judge_stamps(series)
        expected = self._expected.get(name, Expected(None, False)).rate_hz
        if expected is None or series.count < 2:
            return
        if series.rate_hz < settings.slow * expected:
            said = f"{series.rate_hz:.1f} Hz, {expected:g} Hz are expected"
            self._say(Level.WARNING, name, said)
        gaps = series.gaps(settings.gap_periods / expected)
        if len(gaps):
            when, longest = gaps[gaps[:, 1].argmax()]
            level = Level.ERROR if longest > settings.max_gap else Level.WARNING
            said = f"{len(gaps)} gaps, the longest of {longest:.2f} s at {when:.1f} s"
            self._say(level, name, said)

    def _is_steady(self, topic: str) -> bool:
        """Whether a topic has messages at all times of an episode: its states, its cameras."""
        return topic != self._subtask and self._expected.get(topic, Expected(None, False)).needed

    def _judge_stamps(self, series: Series) -> None:
        """Order and clock of measurements. (A label may speak of a picture that is long past.)"""
        is_state = series.topic == self._state
        if (np.diff(series.stamps_ns) < 0).any():
            # Rows that go back are refused by whoever reads the episode.
            level = Level.ERROR if is_state else Level.WARNING
            self._say(level, series.topic, "stamps go back in time")
        elif is_state and clock_jumped_back(series.sequences):
            said = "the clock jumped back: what was before and after lies among each other"
            self._say(Level.ERROR, series.topic, said)
        offset = series.clock_offset()
        if abs(offset) > self.settings.max_clock_offset:
            where = "behind" if offset > 0 else "ahead of"
            said = f"stamps are {abs(offset):.1f} s {where} the recorder's clock"
            self._say(Level.ERROR, series.topic, said)

    def _judge_contents(self, facts: EpisodeFacts | None) -> None:
        """Pictures, vectors and labels."""
        for topic, count in self._not_finite.items():
            if count:
                self._say(Level.ERROR, topic, f"{count} messages hold NaN or infinity")
        for camera in self._cameras.values():
            self.found += camera.findings(self._simulated)
        self._judge_skew()
        if facts is not None:
            self.found += self._vectors.findings(self._state, self._platform, self.settings)

    def _judge_skew(self) -> None:
        """Cameras whose stamps lie apart at one time, whatever the reason.

        Pictures that are taken together are recorded together: what differs is a clock, or a
        driver that stamps late.
        """
        offsets = {}
        for topic, camera in self._cameras.items():
            offset = self._series[topic].clock_offset()
            if math.isfinite(offset):
                offsets[camera.camera] = offset
        if len(offsets) < 2:
            return
        first, last = min(offsets, key=offsets.__getitem__), max(offsets, key=offsets.__getitem__)
        skew = offsets[last] - offsets[first]
        if skew > self.settings.max_skew:
            said = f"the stamps of {last} lie {skew:.3f} s behind those of {first}"
            # Rendered one after the other, on processors that everything else shares.
            level = Level.WARNING if self._simulated else Level.ERROR
            self._say(level, "cameras", said)

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
        """The platform of the episode, if this machine knows it."""
        if facts is None:
            return None
        try:
            platform = load_platform(facts.platform)
        except ConfigError:
            said = f"platform '{facts.platform}' is not known here: rates and limits are unchecked"
            self._say(Level.NOTE, self.path.name, said)
            return None
        if facts.names != platform.names:
            said = f"its layout ({len(facts.names)} entries) is not that of {platform.name} here"
            self._say(Level.ERROR, self.path.name, said)
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

    def _say(self, level: Level, subject: str, what: str) -> None:
        finding = Finding(level, subject, what)
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
