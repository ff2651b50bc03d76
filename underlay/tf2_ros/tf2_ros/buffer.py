"""The frames of a robot over the last seconds."""

from __future__ import annotations

import math
import threading
import time as steady

from geometry_msgs.msg import TransformStamped
from rclpy.clock import Clock, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.time import Time

from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.history import Fixture, History, Placement
from tf2_ros.rigid import IDENTITY, Rigid, from_message, to_message

_CACHE_TIME = 10_000_000_000  # tf2's default [ns].
_NORM_TOLERANCE = 0.01  # Of a quaternion's squared norm, as in tf2.
_DEEPEST = 1000  # Frames of a chain; a longer one is a loop.
_WAIT = 0.02  # Between two looks of a call that waits [s].


class Buffer:
    """Keeps frames and answers where one is in another. May be used from several threads.

    Args:
        cache_time: How long placements are kept; 10 s when None.
        node: Its clock is watched: when time jumps back, moving frames are forgotten.
    """

    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        self._cache_time = _CACHE_TIME if cache_time is None else cache_time.nanoseconds
        self._frames: dict[str, History | Fixture] = {}
        self._names: set[str] = set()  # Frames and their parents.
        self._lock = threading.RLock()
        self.clock = Clock() if node is None else node.get_clock()
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True
        )
        self._jump_handle = self.clock.create_jump_callback(
            threshold, post_callback=self._on_time_jump
        )

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Adds where a moving frame is. What is malformed is refused with a log message.

        Args:
            transform: T_header.frame_id_child_frame_id at header.stamp.
            authority: Who says so.
        """
        self._insert(transform, authority, is_static=False)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Adds where a frame is for ever; the stamp is ignored."""
        self._insert(transform, authority, is_static=True)

    def clear(self) -> None:
        """Forgets where moving frames were; those that never move stay."""
        with self._lock:
            for frame in self._frames.values():
                frame.clear()

    def lookup_transform(
        self, target_frame: str, source_frame: str, time: Time, timeout: Duration | None = None
    ) -> TransformStamped:
        """Where the source frame is in the target frame.

        Args:
            target_frame: The result's header.frame_id.
            source_frame: The result's child_frame_id.
            time: When; zero for the latest time that the whole chain is known at.
            timeout: How long to wait for it.

        Raises:
            LookupException: A frame is unknown.
            ConnectivityException: No chain joins the frames.
            ExtrapolationException: The chain is not known at that time.
            InvalidArgumentException: A frame's name is empty or starts with a slash.
        """
        self.can_transform(target_frame, source_frame, time, timeout)
        with self._lock:
            stamp, rigid = self._look_up(target_frame, source_frame, time.nanoseconds)
        result = TransformStamped(child_frame_id=source_frame, transform=to_message(rigid))
        result.header.frame_id = target_frame
        result.header.stamp = Time(nanoseconds=stamp).to_msg()
        return result

    def can_transform(
        self, target_frame: str, source_frame: str, time: Time, timeout: Duration | None = None
    ) -> bool:
        """Whether lookup_transform would have an answer, within a timeout."""
        seconds = 0.0 if timeout is None else timeout.nanoseconds * 1e-9
        until = steady.monotonic() + seconds
        while True:
            try:
                with self._lock:
                    self._look_up(target_frame, source_frame, time.nanoseconds)
            except TransformException:
                if steady.monotonic() >= until:
                    return False
                steady.sleep(_WAIT)
            else:
                return True

    def _insert(self, transform: TransformStamped, authority: str, is_static: bool) -> None:
        parent = transform.header.frame_id.removeprefix("/")
        child = transform.child_frame_id.removeprefix("/")
        rigid = from_message(transform.transform)
        problem = _problem(parent, child, rigid)
        stamp = Time.from_msg(transform.header.stamp).nanoseconds
        with self._lock:
            if not problem:
                frame = self._frames.get(child)
                if not isinstance(frame, Fixture if is_static else History):
                    frame = Fixture() if is_static else History(self._cache_time)
                    self._frames[child] = frame
                self._names |= {parent, child}
                if not frame.insert(Placement(stamp, parent, rigid)):
                    problem = f"is older than what is kept (stamp {stamp * 1e-9:.6f} s)"
        if problem:
            get_logger("tf2_buffer").warning(
                f"Ignoring frame [{child}] in [{parent}] from [{authority}]: it {problem}"
            )

    def _look_up(self, target: str, source: str, time: int) -> tuple[int, Rigid]:
        """T_target_source at a time [ns], and that time."""
        for name in (target, source):
            if not name or name.startswith("/"):
                raise InvalidArgumentException(f"a frame cannot be named [{name}]")
            if name not in self._names:
                raise LookupException(f"[{name}] does not exist")
        if target == source:
            return time or self._latest_stamp(source), IDENTITY
        if time == 0:
            time = self._latest_common_time(target, source)
        sources, cut = self._chain(source, time)
        top = sources[-1][0]
        targets, target_cut = self._chain(target, time, stop=top)
        if targets[-1][0] != top:
            if cut or target_cut:
                raise cut or target_cut  # type: ignore[misc]
            raise ConnectivityException(f"[{target}] and [{source}] are in two trees")
        return time, targets[-1][1].inverse() @ sources[-1][1]

    def _chain(
        self, frame: str, time: int, stop: str = ""
    ) -> tuple[list[tuple[str, Rigid]], ExtrapolationException | None]:
        """The ancestors of a frame at a time.

        Args:
            frame: The frame, which is the first of them.
            time: When [ns].
            stop: The ancestor to end at.

        Returns:
            (ancestor, T_ancestor_frame) upwards, as far as they are known, and the reason when
            that is not the root.
        """
        chain = [(frame, IDENTITY)]
        while frame != stop and frame in self._frames:
            try:
                placement = self._frames[frame].at(time, frame)
            except ExtrapolationException as error:
                return chain, error
            frame = placement.parent
            chain.append((frame, placement.rigid @ chain[-1][1]))
            if len(chain) > _DEEPEST:
                raise LookupException("the tree of frames contains a loop")
        return chain, None

    def _latest_common_time(self, target: str, source: str) -> int:
        """The latest time [ns] that the chain between two frames is known at; 0 if none moves."""
        sources, targets = self._latest_stamps(source), self._latest_stamps(target)
        common = next((name for name in sources if name in targets), None)
        if common is None:
            raise ConnectivityException(f"[{target}] and [{source}] are in two trees")
        stamps = []
        for chain in (sources, targets):
            for name, stamp in chain.items():
                if name == common:
                    break
                stamps.append(stamp)
        return min((stamp for stamp in stamps if stamp), default=0)

    def _latest_stamps(self, frame: str) -> dict[str, int]:
        """The ancestors of a frame upwards, each with the latest stamp of its placement [ns]."""
        found: dict[str, int] = {}
        while frame not in found:
            cache = self._frames.get(frame)
            latest = None if cache is None else cache.latest()
            found[frame] = 0 if latest is None else latest.stamp
            if latest is None:
                return found
            frame = latest.parent
        raise LookupException("the tree of frames contains a loop")

    def _latest_stamp(self, frame: str) -> int:
        return self._latest_stamps(frame)[frame]

    def _on_time_jump(self, _: TimeJump) -> None:
        get_logger("tf2_buffer").warning("Time jumped back: forgetting the frames that move.")
        self.clear()


def _problem(parent: str, child: str, rigid: Rigid) -> str:
    """What is wrong with a placement; empty when nothing is."""
    if not parent or not child:
        return "has no name"
    if parent == child:
        return "is its own parent"
    if any(math.isnan(value) for value in (*rigid.rotation, *rigid.translation)):
        return "holds NaN"
    norm = sum(value * value for value in rigid.rotation)
    if abs(norm - 1.0) >= _NORM_TOLERANCE:
        return f"has a quaternion of squared norm {norm:.3f}"
    return ""
