"""The operator's end of the graph: says subtasks, hears what stands."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from pi05_ros.brain.instructions import text_problem
from pi05_ros.cli.say.errors import SayError

_ANSWER_S = 5.0  # For one answer [s, wall].


class Speaker:
    """A ROS node of its own in a thread of its own.

    Attributes:
        standing: The newest Subtask message; None: none was heard yet.

    Args:
        namespace: Of the suite ("/pi05").
        heard: Called with the text of every subtask that is heard.

    Raises:
        SayError: ROS is not installed, or the namespace is none.
    """

    def __init__(self, namespace: str, heard: Any = None) -> None:
        try:
            import rclpy
            from rclpy.exceptions import InvalidNamespaceException
            from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
            from rclpy.validate_namespace import validate_namespace

            from pi05_msgs.msg import Subtask
            from pi05_msgs.srv import Instruct
            from pi05_ros.nodes.common import qos
        except ModuleNotFoundError as error:
            raise SayError(
                f"the Python package '{error.name}' is missing: source the workspace"
            ) from error
        try:
            validate_namespace(namespace)
        except InvalidNamespaceException as error:
            raise SayError(
                f"'{namespace}' is no namespace: wanted letters, digits and '_' between slashes"
            ) from error
        self._namespace = namespace
        self._heard = heard or (lambda text: None)
        self._request = Instruct.Request
        self._ended = ExternalShutdownException
        self.standing: Any = None
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
        """Leaves the graph."""
        self._executor.shutdown()
        self._context.try_shutdown()
        self._thread.join(2.0)
        self._node.destroy_node()

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def say(self, text: str, wait: float = _ANSWER_S) -> str:
        """Says a subtask, or hands back to the brain with an empty text.

        Args:
            text: One line.
            wait: For the planner to appear, and again for its answer, at most [s, wall].

        Returns:
            What the planner made of it, in plain words.

        Raises:
            SayError: The words cannot be said, there is no planner, it did not answer, or it did
                not take them.
        """
        trouble = text_problem(text)
        if trouble:
            raise SayError(f"not said: {trouble}")
        name = f"{self._namespace.rstrip('/')}/instruct"
        if not self._client.wait_for_service(wait):
            raise SayError(
                f"no planner offers {name} (waited {wait:g} s): is the suite running, with this "
                "ROS_DOMAIN_ID and this --namespace?"
            )
        future = self._client.call_async(self._request(text=text))
        limit = time.monotonic() + wait
        while not future.done():
            if time.monotonic() > limit:
                raise SayError(f"{name} did not answer in {wait:g} s: look at the planner's log")
            time.sleep(0.01)
        answer = future.result()
        if answer.code:
            raise SayError(answer.message)
        return str(answer.message)

    def wait_for_subtask(self, seconds: float) -> None:
        """Waits until the subtask that stands is known, at most so long [s]."""
        limit = time.monotonic() + seconds
        while self.standing is None and time.monotonic() < limit:
            time.sleep(0.02)

    def _on_subtask(self, message: Any) -> None:
        self.standing = message
        self._heard(message.text)

    def _spin(self) -> None:
        with contextlib.suppress(self._ended):
            self._executor.spin()
