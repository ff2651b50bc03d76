"""Steps of the set-up, in order, and the stamps of those that are done.

A step is done when its stamp holds the key that the step has now. A stamp lies inside the result
of its step and is written last, so neither an interrupted step nor one whose result was removed
counts as done.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pi05_ros.bootstrap import graphics, interfaces, virtual_env
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext


@dataclass(frozen=True)
class Step:
    """One step of the set-up.

    Args:
        title: Its name on the terminal.
        stamp: The file that holds the key of the last finished run.
        key: Returns its present inputs as text; "" never counts as done.
        work: Carries it out; a returned text is appended to the stamp.
        optional: True where the suite works without it; a failure is reported, not raised.
    """

    title: str
    stamp: Path
    key: Callable[[], str]
    work: Callable[[SetupContext], str | None]
    optional: bool = False

    def is_done(self) -> bool:
        """Check whether the stamp holds the key."""
        key = self.key()
        if not key or not self.stamp.is_file():
            return False
        text = self.stamp.read_text()
        return text == key or text.startswith(f"{key}\n")


def make_plan(checkout: Checkout, source: RosSource, tools: bool = False) -> list[Step]:
    """Return all steps of a checkout, done or not, in order.

    Args:
        checkout: The clone of the repository.
        source: Where ROS 2 comes from.
        tools: True adds the test tools.
    """
    from_wheels = source.from_wheels
    identity = partial(virtual_env.identity, checkout, from_wheels)

    def inside(key: Callable[[], str]) -> Callable[[], str]:
        """Return the key of a result inside the virtual environment, bound to its identity."""
        return lambda: f"{identity()}\n{key()}" if identity() else ""

    def wheels_key(wheels: virtual_env.Wheels) -> Callable[[], str]:
        return inside(partial(virtual_env.wheels_key, checkout, from_wheels, wheels))

    ros = "ROS 2 Jazzy, " if from_wheels else ""
    names = ", ".join(interfaces.packages(checkout, source))
    steps = [
        Step(
            title="virtual environment .venv",
            stamp=checkout.stamps / "venv",
            key=identity,
            work=virtual_env.create,
        ),
        Step(
            title=f"wheels ({ros}MuJoCo, torch)",
            stamp=checkout.stamps / "wheels",
            key=wheels_key(virtual_env.BASE),
            work=virtual_env.fill,
        ),
        Step(
            title=f"interfaces ({names})",
            stamp=interfaces.stamp(checkout),
            key=partial(interfaces.key, checkout, source),
            work=interfaces.install,
        ),
        Step(
            title="off-screen OpenGL",
            stamp=graphics.stamp(checkout),
            key=inside(graphics.key),
            work=graphics.choose,
            optional=True,
        ),
    ]
    if tools:
        steps.append(
            Step(
                title="test tools",
                stamp=checkout.stamps / "tools",
                key=wheels_key(virtual_env.TOOLS),
                work=virtual_env.add_tools,
            )
        )
    return steps


def make_ready(
    checkout: Checkout, source: RosSource, environ: Mapping[str, str], tools: bool = False
) -> list[str]:
    """Carry out the steps that are not done. Print nothing when all are.

    Args:
        checkout: The clone of the repository.
        source: Where ROS 2 comes from.
        environ: The caller's environment.
        tools: True adds the test tools.

    Returns:
        Failures of optional steps, as sentences.

    Raises:
        SetupError: A required step failed. The steps before it stay done.
    """
    steps = make_plan(checkout, source, tools)
    if all(step.is_done() for step in steps):
        return []
    context = SetupContext(checkout, source, environ)
    with locked(context) as descriptor:
        context.keep_open = (descriptor,)
        return carry_out(steps, context)


def carry_out(steps: Sequence[Step], context: SetupContext) -> list[str]:
    """Carry out the steps that are not done, in order.

    Returns:
        Failures of optional steps, as sentences.

    Raises:
        SetupError: A required step failed. The steps before it stay done.
    """
    missing = []
    left = [step for step in steps if not step.is_done()]
    if left:
        place, logs = context.checkout.root, context.checkout.logs
        context.terminal.print_line(f"pi05: setting up {place} (logs in {logs})")
    for number, step in enumerate(left, start=1):
        try:
            with context.terminal.step(number, len(left), step.title):
                addition = step.work(context)
        except SetupError as error:
            if not step.optional:
                raise
            missing.append(str(error))
            continue
        step.stamp.parent.mkdir(parents=True, exist_ok=True)
        unfinished = step.stamp.with_name(f"{step.stamp.name}.unfinished")
        unfinished.write_text(step.key() if addition is None else f"{step.key()}\n{addition}")
        unfinished.replace(step.stamp)
    return missing


@contextmanager
def locked(context: SetupContext) -> Iterator[int]:
    """Hold the checkout's set-up lock; wait for another `./pi05` that holds it."""
    context.checkout.scratch.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(context.checkout.scratch / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            context.terminal.print_line(
                "pi05: another ./pi05 is setting up this folder; waiting for it"
            )
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
