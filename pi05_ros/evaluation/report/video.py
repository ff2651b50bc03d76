"""Video and strip of pictures of a run.

Frames are drawn and encoded in a thread of low priority while the run goes on, so that a run of an
hour needs no more memory than one of a minute, and little is left to encode at its end.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.report.frame import Caption, compose

FRAMES_PER_SECOND = 10  # Of simulated time.
_WAITING = 20  # Frames that may wait to be encoded; more are dropped, so that memory is bounded.
_NICENESS = 10  # The graph takes precedence.
_STRIP_COLUMNS, _STRIP_ROWS = 3, 2
_GAP = 8  # Between the pictures of the strip [pixel].
_CODECS = (
    ("libx264", {"preset": "veryfast", "crf": "24"}),
    ("mpeg4", {"qscale": "4"}),
)


@dataclass(frozen=True)
class Frame:
    """One moment of the run."""

    time_s: float  # Simulated, since the task began; rises from frame to frame.
    images: Mapping[str, np.ndarray]  # Camera name -> (H, W, 3) uint8 rgb.
    caption: Caption


class VideoWriter:
    """Writes `video.mp4` and `strip.png`.

    Args:
        folder: An existing folder.
        cameras: Camera names in the order of their cells.
        cell: (height, width) of a camera's cell [pixel].
    """

    def __init__(self, folder: Path, cameras: Sequence[str], cell: tuple[int, int]) -> None:
        self._folder, self._cameras, self._cell = folder, tuple(cameras), cell
        self._queue: queue.Queue[Frame | None] = queue.Queue(maxsize=_WAITING)
        self._moments: dict[str, np.ndarray] = {}  # Subtask -> its last picture so far.
        self._failure: BaseException | None = None
        self.frames = 0  # Encoded.
        self.dropped = 0  # Because the encoder was too slow.
        self._thread = threading.Thread(target=self._run, name="video", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of frames that are not encoded yet."""
        return self._queue.qsize()

    def add(self, frame: Frame) -> None:
        """Add a frame, or drop it when the encoder is far behind."""
        try:
            self._queue.put_nowait(frame)
        except queue.Full:
            self.dropped += 1

    def add_blocking(self, frame: Frame) -> None:
        """Add a frame, and wait until the encoder has room: for recorded runs."""
        while self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._queue.put(frame, timeout=0.1)
                return

    def finish(self) -> None:
        """End the video: no more frames are added."""
        while self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=0.1)
                return

    def wait(self, timeout_s: float) -> bool:
        """Wait until both files are written, after `finish`.

        Returns:
            Whether they are.

        Raises:
            Pi05Error: A file could not be written.
        """
        self._thread.join(timeout_s)
        if self._failure is not None:
            raise Pi05Error(f"{self._folder}: the video cannot be written: {self._failure}")
        return not self._thread.is_alive()

    def _run(self) -> None:
        # Linux counts niceness by thread.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        try:
            self._encode()
            self._write_strip()
        except Exception as error:  # Raised by `wait`, in the thread of the caller.
            self._failure = error

    def _encode(self) -> None:
        frame = self._queue.get()
        if frame is None:
            return  # No frame came: no empty file.
        with av.open(str(self._folder / "video.mp4"), "w") as container:
            picture = self._compose(frame)
            stream = self._add_stream(container, picture.shape)
            last_tick = -1
            while frame is not None:
                tick = max(last_tick + 1, round(frame.time_s * FRAMES_PER_SECOND))
                last_tick = tick
                image = av.VideoFrame.from_ndarray(picture, format="rgb24")
                image.pts, image.time_base = tick, Fraction(1, FRAMES_PER_SECOND)
                container.mux(stream.encode(image))
                self.frames += 1
                frame = self._queue.get()
                if frame is not None:
                    picture = self._compose(frame)
            container.mux(stream.encode(None))

    def _add_stream(
        self, container: av.container.OutputContainer, shape: tuple[int, ...]
    ) -> av.VideoStream:
        """A video stream of the best codec that this build of FFmpeg has."""
        for name, options in _CODECS:
            if name in av.codecs_available:
                stream = container.add_stream(name, rate=FRAMES_PER_SECOND, options=options)
                assert isinstance(stream, av.VideoStream)
                stream.height, stream.width, stream.pix_fmt = shape[0], shape[1], "yuv420p"
                stream.codec_context.time_base = Fraction(1, FRAMES_PER_SECOND)
                stream.codec_context.thread_count = 1
                return stream
        raise Pi05Error(f"FFmpeg has no encoder of {' or '.join(name for name, _ in _CODECS)}")

    def _compose(self, frame: Frame) -> np.ndarray:
        picture = compose(frame.images, self._cameras, self._cell, frame.caption)
        if frame.caption.subtask:
            # Popped first: a subtask that comes again counts where it came last.
            self._moments.pop(frame.caption.subtask, None)
            self._moments[frame.caption.subtask] = picture
        return picture

    def _write_strip(self) -> None:
        """Write pictures from the ends of subtasks, spread over the run, side by side."""
        pictures = list(self._moments.values())
        if not pictures:
            return
        count = min(len(pictures), _STRIP_COLUMNS * _STRIP_ROWS)
        chosen = [
            pictures[i] for i in np.linspace(0, len(pictures) - 1, count).round().astype(int)
        ]
        small = [cv2.resize(p, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA) for p in chosen]
        small = [np.pad(p, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for p in small]
        columns = min(count, _STRIP_COLUMNS)
        small += [np.full_like(small[0], 255)] * (-count % columns)
        rows = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
        strip = cv2.cvtColor(np.vstack(rows)[:-_GAP, :-_GAP], cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(self._folder / "strip.png"), strip):
            raise OSError("strip.png was refused")
