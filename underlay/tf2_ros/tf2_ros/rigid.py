"""Rigid transforms in plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geometry_msgs.msg import Quaternion, Transform, Vector3

Numbers = tuple[float, ...]

_PARALLEL = 1.0 - 1e-12  # Cosine of half an angle below which rotations are mixed linearly.


@dataclass(frozen=True)
class Rigid:
    """Maps points of a child frame into its parent: rotate, then translate.

    Args:
        rotation: Unit quaternion (x, y, z, w).
        translation: (x, y, z) [m].
    """

    rotation: Numbers
    translation: Numbers

    def __matmul__(self, other: Rigid) -> Rigid:
        """This after the other: T_a_b @ T_b_c = T_a_c."""
        moved = rotate(self.rotation, other.translation)
        return Rigid(
            multiply(self.rotation, other.rotation),
            tuple(a + b for a, b in zip(self.translation, moved, strict=True)),
        )

    def inverse(self) -> Rigid:
        """Maps the parent's points into the child."""
        back = conjugate(self.rotation)
        return Rigid(back, tuple(-v for v in rotate(back, self.translation)))

    def towards(self, other: Rigid, ratio: float) -> Rigid:
        """Part of the way to another: linear translation, rotation on the shortest arc.

        Args:
            other: The end.
            ratio: 0 for this, 1 for the other.
        """
        translation = tuple(
            a + ratio * (b - a) for a, b in zip(self.translation, other.translation, strict=True)
        )
        return Rigid(slerp(self.rotation, other.rotation, ratio), translation)


IDENTITY = Rigid((0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0))


def multiply(a: Numbers, b: Numbers) -> Numbers:
    """The Hamilton product of quaternions (x, y, z, w)."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def conjugate(q: Numbers) -> Numbers:
    """The inverse of a unit quaternion."""
    return (-q[0], -q[1], -q[2], q[3])


def rotate(q: Numbers, v: Numbers) -> Numbers:
    """A vector turned by a unit quaternion."""
    return multiply(multiply(q, (*v, 0.0)), conjugate(q))[:3]


def slerp(a: Numbers, b: Numbers, ratio: float) -> Numbers:
    """Spherical interpolation on the shortest arc between unit quaternions."""
    cosine = sum(x * y for x, y in zip(a, b, strict=True))
    if cosine < 0.0:
        b, cosine = tuple(-x for x in b), -cosine
    if cosine > _PARALLEL:
        first, second = 1.0 - ratio, ratio
    else:
        angle = math.acos(cosine)
        first = math.sin((1.0 - ratio) * angle) / math.sin(angle)
        second = math.sin(ratio * angle) / math.sin(angle)
    mixed = [first * x + second * y for x, y in zip(a, b, strict=True)]
    norm = math.sqrt(sum(x * x for x in mixed))
    return tuple(x / norm for x in mixed)


def from_message(message: Transform) -> Rigid:
    """A message's transform."""
    q, t = message.rotation, message.translation
    return Rigid((q.x, q.y, q.z, q.w), (t.x, t.y, t.z))


def to_message(rigid: Rigid) -> Transform:
    """A transform as a message."""
    x, y, z, w = rigid.rotation
    tx, ty, tz = rigid.translation
    return Transform(
        translation=Vector3(x=tx, y=ty, z=tz), rotation=Quaternion(x=x, y=y, z=z, w=w)
    )
