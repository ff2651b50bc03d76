"""Node `say`: sends an operator's subtasks to the planner, and keeps the present subtask.

Calls the service instruct; subscribes to subtask.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import rclpy
from rclpy.exceptions import InvalidNamespaceException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.validate_namespace import validate_namespace

from pi05_msgs.msg import Subtask
from pi05_msgs.srv import Instruct
from pi05_ros.brain.instructions import clean, text_problem
from pi05_ros.brain.label_text import label_problem
from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common import qos

_ANSWER_S = 5.0  # Longest wait for one answer [wall s].


class InstructError(Pi05Error):
    """A subtask did not reach the planner, or the planner refused it."""


class InstructClient:
    """Client of the service instruct, with its node in a thread of its own. A context manager.

    Attributes:
        subtask: The last Subtask message; None: none has come yet.

    Args:
        namespace: Namespace of the suite ("/pi05").
        on_subtask: Called with the text of every subtask that is published.

    Raises:
        InstructError: The namespace is not valid.
    """

    def __init__(self, namespace: str, on_subtask: Callable[[str], None] | None = None) -> None:
        try:
            validate_namespace(namespace)
        except InvalidNamespaceException as error:
            raise InstructError(
                f"'{namespace}' is no namespace: wanted letters, digits and '_' between slashes"
            ) from error
        self._namespace = namespace
        self._listener = on_subtask or (lambda text: None)
        self.subtask: Subtask | None = None
        self._context = rclpy.Context()
        self._context.init(args=[])
        self._node = rclpy.create_node("say", namespace=namespace, context=self._context)
        self._client = self._node.create_client(Instruct, "instruct")
        self._node.create_subscription(Subtask, "subtask", self._on_subtask, qos.LATCHED)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="say", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and destroy the node."""
        self._executor.shutdown()
        self._context.try_shutdown()
        self._thread.join(2.0)
        self._node.destroy_node()

    def __enter__(self) -> InstructClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, text: str, wait: float = _ANSWER_S) -> str:
        """Send a subtask, or return control to the brain with an empty text.

        Args:
            text: One line.
            wait: Longest wait for the planner to appear, and again for its answer [wall s].

        Returns:
            The planner's answer, in plain words.

        Raises:
            InstructError: The text is not valid, there is no planner, it did not answer, or it
                refused the subtask.
        """
        invalid = text_problem(text) or (label_problem(clean(text)) if clean(text) else "")
        if invalid:
            raise InstructError(f"not sent: {invalid}")
        name = f"{self._namespace.rstrip('/')}/instruct"
        if not self._client.wait_for_service(wait):
            raise InstructError(
                f"no planner offers {name} (waited {wait:g} s): is the suite running, with this "
                "ROS_DOMAIN_ID and this --namespace?"
            )
        future = self._client.call_async(Instruct.Request(text=text))
        limit = time.monotonic() + wait
        while not future.done():
            if time.monotonic() > limit:
                raise InstructError(f"{name} did not answer in {wait:g} s: see the planner's log")
            time.sleep(0.01)
        answer = future.result()
        if answer.code:
            raise InstructError(answer.message)
        return str(answer.message)

    def wait_for_subtask(self, seconds: float) -> None:
        """Wait until the present subtask is known, at most so long [s]."""
        limit = time.monotonic() + seconds
        while self.subtask is None and time.monotonic() < limit:
            time.sleep(0.02)

    def _on_subtask(self, message: Subtask) -> None:
        self.subtask = message
        self._listener(message.text)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()
