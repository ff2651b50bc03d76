"""The steps that make a checkout ready, in order, and which of them are done.

A step is done when the stamp that it left says the key that it has now. A stamp lies inside what
the step made and is written last, so an interrupted step is not done, and neither is one whose
result was removed.
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
from pi05_ros.bootstrap.errors import SetupError
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.workshop import Workshop


@dataclass(frozen=True)
class Step:
    """One step of the set-up.

    Args:
        title: What a person reads.
        stamp: The file that says it is done.
        key: Its inputs as text, as they are now; "" never counts as done.
        work: Does it; what it returns is appended to the stamp.
        optional: Whether the suite is of use without it; a failure is said, not raised.
    """

    title: str
    stamp: Path
    key: Callable[[], str]
    work: Callable[[Workshop], str | None]
    optional: bool = False

    def is_done(self) -> bool:
        """Whether the stamp says the key."""
        key = self.key()
        if not key or not self.stamp.is_file():
            return False
        text = self.stamp.read_text()
        return text == key or text.startswith(f"{key}\n")


def make_plan(checkout: Checkout, source: RosSource) -> list[Step]:
    """All steps of a checkout, done or not, in order."""
    from_wheels = source.from_wheels
    identity = partial(virtual_env.identity, checkout, from_wheels)

    def inside(key: Callable[[], str]) -> Callable[[], str]:
        """The key of what lies inside the virtual environment: another one asks for it anew."""
        return lambda: f"{identity()}\n{key()}" if identity() else ""

    ros = "ROS 2 Jazzy, " if from_wheels else ""
    steps = [
        Step(
            title="virtual environment .venv",
            stamp=checkout.stamps / "venv",
            key=identity,
            work=virtual_env.create,
        ),
        Step(
            title=f"wheels ({ros}MuJoCo, torch and tools)",
            stamp=checkout.stamps / "wheels",
            key=inside(partial(virtual_env.wheels_key, checkout, from_wheels)),
            work=virtual_env.fill,
        ),
    ]
    for name, folder in interfaces.packages(checkout, source).items():
        steps.append(
            Step(
                title=f"interfaces of {name}",
                stamp=interfaces.stamp(checkout, name),
                key=partial(interfaces.key, checkout, source, folder),
                work=partial(interfaces.build, package=name, folder=folder),
            )
        )
    steps.append(
        Step(
            title="off-screen OpenGL",
            stamp=graphics.stamp(checkout),
            key=inside(graphics.key),
            work=graphics.choose,
            optional=True,
        )
    )
    return steps


def make_ready(checkout: Checkout, source: RosSource, environ: Mapping[str, str]) -> list[str]:
    """Does what is not done yet. Says nothing when all is there.

    Args:
        checkout: Where the suite lies.
        source: Where ROS 2 comes from.
        environ: The caller's environment.

    Returns:
        What is missing that the suite can do without, as sentences.

    Raises:
        SetupError: Something that it cannot do without is missing.
    """
    steps = make_plan(checkout, source)
    if all(step.is_done() for step in steps):
        return []
    shop = Workshop(checkout, source, environ)
    with locked(shop) as descriptor:
        shop.keep_open = (descriptor,)
        return carry_out(steps, shop)


def carry_out(steps: Sequence[Step], shop: Workshop) -> list[str]:
    """Does the steps that are not done, in order.

    Returns:
        What the optional ones among them found missing, as sentences.

    Raises:
        SetupError: Another step failed. What came before it stays done.
    """
    missing = []
    left = [step for step in steps if not step.is_done()]
    if left:
        shop.console.say(f"pi05: setting up {shop.checkout.root} (logs in {shop.checkout.logs})")
    for number, step in enumerate(left, start=1):
        try:
            with shop.console.step(number, len(left), step.title):
                addition = step.work(shop)
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
def locked(shop: Workshop) -> Iterator[int]:
    """Holds the checkout's set-up lock; waits for another `./pi05` that holds it."""
    shop.checkout.scratch.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(shop.checkout.scratch / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            shop.console.say("pi05: another ./pi05 is setting up this folder; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
