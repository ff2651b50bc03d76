"""The recorder's episodes: the work of start_episode and stop_episode."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.writer import BagWriter
from pi05_ros.errors import Pi05Error
from pi05_ros.recording.disk import DiskProbe, disk_space
from pi05_ros.recording.provenance import episode_id
from pi05_ros.recording.session import OpenBag, Session, SessionSettings

SUCCESS, FAILURE, DISCARD = OUTCOMES = ("success", "failure", "discard")
MAX_TASK_LENGTH = 256  # As in StartEpisode.srv.
_OPEN_S = 10.0  # Timeout for opening a bag [s].
_CLOSE_S = 30.0  # Timeout, at shutdown, for the closing of a bag that ended by itself [s].


class RecorderState(enum.IntEnum):
    """Values of Episode.state."""

    IDLE = 0
    RECORDING = 1
    CLOSING = 2
    ERROR = 3


class StartCode(enum.IntEnum):
    """Values of StartEpisode.code."""

    NONE = 0
    ALREADY_RECORDING = 210
    NO_SPACE = 211
    STORAGE_ERROR = 212


class StopCode(enum.IntEnum):
    """Values of StopEpisode.code."""

    NONE = 0
    NOT_RECORDING = 220
    INVALID_OUTCOME = 221
    STORAGE_ERROR = 222


@dataclass(frozen=True)
class Reply:
    """Response of a service."""

    code: int
    message: str  # Never empty.
    id: str = ""
    path: str = ""


@dataclass(frozen=True)
class EpisodeStatus:
    """State of the current or the last episode; see Episode.msg."""

    state: RecorderState
    facts: EpisodeFacts | None = None  # None: there was no episode.
    outcome: str = ""
    path: str = ""
    start_ns: int = 0  # Node clock.
    duration_ns: int = 0
    message_count: int = 0
    byte_count: int = 0
    message: str = ""


class Episodes:
    """Begins and ends episodes, of which at most one is open; `session` writes it.

    Methods may be called from different threads. `start`, `stop` and `end` wait for the disk.

    Args:
        folder: Folder of the bags, made on demand.
        settings: How an episode is written.
        now_ns: The node's clock [ns].
        utc_s: Seconds since 1970, for the names of folders.
        open_bag: Makes the bag.
        disk: Queries the space on a disk.
    """

    def __init__(
        self,
        folder: Path,
        settings: SessionSettings | None = None,
        *,
        now_ns: Callable[[], int],
        utc_s: Callable[[], float] = time.time,
        open_bag: OpenBag = BagWriter,
        disk: DiskProbe = disk_space,
    ) -> None:
        self.folder = folder
        self.session: Session | None = None
        self._settings = settings or SessionSettings()
        self._now_ns, self._utc_s = now_ns, utc_s
        self._open_bag, self._disk = open_bag, disk
        self._thread: threading.Thread | None = None
        self._operation = threading.Lock()  # One start or stop at a time.
        self._lock = threading.RLock()  # Guards status and session.
        self._status = EpisodeStatus(RecorderState.IDLE)

    @property
    def state(self) -> RecorderState:
        """The current state; a failed bag is an ERROR at once."""
        return self.status().state

    def status(self) -> EpisodeStatus:
        """State of the current or the last episode; detects one that ended by itself."""
        with self._lock:
            status, session = self._status, self.session
            if session is None:
                return status
            if status.state is RecorderState.RECORDING:
                status = replace(status, duration_ns=max(0, self._now_ns() - status.start_ns))
            status = replace(
                status,
                facts=session.facts,
                message_count=session.messages_written,
                byte_count=session.bytes_written,
            )
            if session.trouble:
                why = "; ".join(filter(None, (session.trouble, session.failure)))
                self._status = status = replace(status, state=RecorderState.ERROR, message=why)
                if session.done.is_set():
                    self.session = None
            return status

    def space_problem(self) -> str:
        """Reason why the disk has no space for an episode, one clause; empty: it has."""
        return self._disk(self.folder).problem_at_start

    def start(self, facts: EpisodeFacts) -> Reply:
        """Begin an episode; sets id, started_ns, outcome, ended and recovered of the facts."""
        with self._operation:
            status = self.status()
            if self.session is not None:
                recording = status.state is RecorderState.RECORDING
                what = "being recorded: stop it first" if recording else "still being closed"
                return Reply(
                    StartCode.ALREADY_RECORDING, f"episode {self.session.facts.id} is {what}"
                )
            try:
                if problem := self.space_problem():
                    return Reply(StartCode.NO_SPACE, problem)
                self.folder.mkdir(parents=True, exist_ok=True)
                session, start_ns = self._open(facts)
            except (Pi05Error, OSError) as error:
                return Reply(StartCode.STORAGE_ERROR, f"the bag cannot be opened: {error}")
            path = str(session.folder.resolve())
            with self._lock:
                self._status = EpisodeStatus(
                    RecorderState.RECORDING, session.facts, path=path, start_ns=start_ns
                )
                self.session = session
            return Reply(StartCode.NONE, f"recording into {path}", session.facts.id, path)

    def stop(self, outcome: str, notes: str = "") -> Reply:
        """End the open episode and wait until its bag is verified (or deleted)."""
        if outcome not in OUTCOMES:
            return Reply(
                StopCode.INVALID_OUTCOME,
                f"outcome '{outcome}' is none of {', '.join(OUTCOMES)}; the episode goes on",
            )
        return self._end(outcome, notes, "")

    def end(self, why: str) -> Reply:
        """End the open episode without an outcome, at shutdown.

        If it ended by itself, wait until its bag is closed.

        Args:
            why: Reason for the facts, one clause.
        """
        session = self.session
        if session is not None and session.trouble:
            session.done.wait(_CLOSE_S)
        return self._end("", "", why)

    def _open(self, facts: EpisodeFacts) -> tuple[Session, int]:
        start_ns = self._now_ns()
        name = episode_id(facts.task, self._utc_s(), self.folder)
        facts = replace(facts, id=name, started_ns=start_ns, outcome="", ended="", recovered="")
        session = Session(
            self.folder / name, facts, self._settings, open_bag=self._open_bag, disk=self._disk
        )
        self._thread = threading.Thread(target=session.run, name="bag", daemon=True)
        self._thread.start()
        if not session.opened.wait(_OPEN_S):
            session.discard()
            raise Pi05Error(f"the disk has not opened {session.folder} within {_OPEN_S:g} s")
        if session.failure:
            raise Pi05Error(session.failure)
        return session, start_ns

    def _end(self, outcome: str, notes: str, why: str) -> Reply:
        with self._operation:
            with self._lock:
                status, session = self.status(), self.session
                if session is None or status.state is not RecorderState.RECORDING:
                    return Reply(StopCode.NOT_RECORDING, _why_not_recording(status))
                self._status = replace(status, state=RecorderState.CLOSING, outcome=outcome)
            path = str(session.folder.resolve())
            if outcome == DISCARD:
                session.discard()
            else:
                session.change(
                    lambda facts: replace(
                        facts,
                        outcome=outcome,
                        ended=why,
                        notes="\n".join(filter(None, (facts.notes, notes))),
                    )
                )
                session.finish()
            session.done.wait()
            return self._ended(session, outcome, path)

    def _ended(self, session: Session, outcome: str, path: str) -> Reply:
        """Update the status after the bag's thread has ended."""
        problem = "; ".join(filter(None, (session.trouble, session.failure)))
        with self._lock:
            self._status = replace(
                self.status(),
                state=RecorderState.ERROR if problem else RecorderState.IDLE,
                message=problem,
            )
            self.session = None
            if outcome == DISCARD and not problem:
                self._status = replace(self._status, path="")
        if problem:
            mark = ", marked incomplete" if session.failure else ""
            return Reply(
                StopCode.STORAGE_ERROR, f"{problem}; the bag stays in {path}{mark}", path=path
            )
        if outcome == DISCARD:
            return Reply(StopCode.NONE, f"episode {session.facts.id} is discarded and deleted")
        return Reply(StopCode.NONE, f"closed and verified: {path}", session.facts.id, path)


def _why_not_recording(status: EpisodeStatus) -> str:
    if status.state is RecorderState.ERROR:
        return f"no episode is open: recording ended by itself, {status.message}"
    return "no episode is open"
