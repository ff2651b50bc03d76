"""Services of the recorder, in a thread that may wait for the disk."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any

from pi05_msgs.srv import StartEpisode, StopEpisode
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.manual_take import ManualTakeGroup
from pi05_ros.recording.episodes import Reply, StartCode, StopCode

_POLL_S = 0.02

Start = Callable[[StartEpisode.Request], Reply]
Stop = Callable[[StopEpisode.Request], Reply]


class RecorderServices:
    """Services start_episode and stop_episode.

    Closing a bag reads it again completely, which takes a minute for a long episode. In the
    executor it would delay /diagnostics, lifecycle services and the topic `episode`.

    Args:
        node: The node recorder.
        start: Handles start_episode.
        stop: Handles stop_episode.
    """

    def __init__(self, node: ManagedNode[Any], start: Start, stop: Stop) -> None:
        self._node = node
        group = ManualTakeGroup()
        self._services = [
            (
                node.create_service(
                    kind, name, lambda request, response: response, callback_group=group
                ),
                act,
                error,
            )
            for kind, name, act, error in (
                (StartEpisode, "start_episode", start, StartCode.STORAGE_ERROR),
                (StopEpisode, "stop_episode", stop, StopCode.STORAGE_ERROR),
            )
        ]
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="services", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Run a job in the services' thread."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish the request in progress and destroy the services."""
        self._ending.set()
        self._thread.join()
        for service, _, _ in self._services:
            self._node.destroy_service(service)
        self._services = []

    def _run(self) -> None:
        while not self._ending.wait(_POLL_S):
            while not self._jobs.empty():
                self._node.guarded(self._jobs.get())()
            for service, act, error in self._services:
                with service.handle:
                    request, header = service.handle.service_take_request(service.srv_type.Request)
                if header is None:
                    continue
                service.send_response(self._answer(service.srv_type, request, act, error), header)

    def _answer(self, kind: Any, request: Any, act: Callable[[Any], Reply], error: int) -> Any:
        try:
            reply = act(request)
        except Exception:
            self._node.get_logger().error(f"a service failed:\n{traceback.format_exc()}")
            reply = Reply(error, "internal error: see the log of recorder")
        response = kind.Response(code=int(reply.code), message=reply.message, path=reply.path)
        if kind is StartEpisode:
            response.id = reply.id
        return response
