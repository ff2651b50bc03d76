"""Simplified grasping: a weld constraint between hand and item in place of finger friction.

A closing gripper grasps the nearest item or fixture that has a graspable point within REACH of
its tool centre point. The weld keeps an item's pose relative to the hand at that time, and is
released when the gripper opens. Of a fixture it ties the point at the tool centre point, and the
orientation only if the fixture turns with the hand. While something is held, the fingers stop at
its width, like a gripper that stalls on an object.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.home_spec import fixture_body, item_body
from pi05_ros.sim.homes.geometry import quaternion_conjugate, quaternion_multiply, rotate
from pi05_ros.sim.homes.items import Grasp
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.robot import servo_name, tcp_site

REACH = 0.035  # [m] from tool centre point to graspable point.
CLOSING = 0.6  # Opening fraction below which a closing gripper grasps; above it, it releases.
_STIFF, _SOFT = 0.01, 0.02  # Time constant of the weld of an item, of a fixture [s].
_STILL = 0.05  # Fingers slower than this do not count as closing [opening fractions per second].


class Graspable(NamedTuple):
    """An item or a fixture that a gripper can hold."""

    name: str
    body: str  # Name of its MuJoCo body.
    grasp: Grasp
    ties_point: bool  # Whether the tied point is the tool centre point, not the body's origin.
    ties_rotation: bool  # Whether the hand determines its orientation.

    @property
    def farthest(self) -> float:
        """Largest distance from the body's origin at which a gripper takes it [m]."""
        return float(np.linalg.norm(self.grasp.point)) + self.grasp.radius + REACH


@dataclass
class _Gripper:
    name: str  # Of the group.
    site: int
    body: int  # Body of the tool centre point.
    servo: int
    qpos: int
    dof: int
    closed: float  # Joint position at fraction 0 [m or rad].
    span: float  # Joint travel from closed to open [m or rad].
    slides: bool
    holds: int | None = None  # Index of the held thing.
    stall: float = 0.0  # Fraction at which the fingers meet the held thing.
    armed: bool = False  # It has been open since its last grasp or its last empty closing.


class GraspWelds:
    """The grippers of a robot and the items and fixtures that they hold."""

    def __init__(self, model: mujoco.MjModel, platform: Platform, room: Room) -> None:
        self._things = graspable(room)
        self._bodies = [model.body(thing.body).id for thing in self._things]
        self._farthest = [thing.farthest**2 for thing in self._things]  # [m²]
        self._grippers = []
        for group in platform.groups_of("parallel_gripper"):
            joint = model.joint(group.dimensions[0].joint_name)
            site = model.site(tcp_site(group.name)).id
            self._grippers.append(
                _Gripper(
                    group.name, site, int(model.site_bodyid[site]),
                    model.actuator(servo_name(joint.name)).id,
                    int(joint.qposadr[0]), int(joint.dofadr[0]),
                    group.gripper_ends[0], group.gripper_ends[1] - group.gripper_ends[0],
                    joint.type[0] == mujoco.mjtJoint.mjJNT_SLIDE,
                )
            )  # fmt: skip
        self._welds = np.array(
            [
                [model.equality(_weld(g.name, thing.name)).id for thing in self._things]
                for g in self._grippers
            ]
        ).reshape(len(self._grippers), len(self._things))
        self._model = model

    @staticmethod
    def declare(spec: mujoco.MjSpec, platform: Platform, room: Room) -> None:
        """Add one inactive weld for each pair of gripper and graspable thing."""
        for group in platform.groups_of("parallel_gripper"):
            hand = spec.site(tcp_site(group.name)).parent.name
            for thing in graspable(room):
                weld = spec.add_equality(name=_weld(group.name, thing.name))
                weld.type = mujoco.mjtEq.mjEQ_WELD
                weld.objtype = mujoco.mjtObj.mjOBJ_BODY
                weld.name1, weld.name2 = hand, thing.body
                weld.active = False
                weld.solref = [_SOFT if thing.ties_point else _STIFF, 1.0]

    def reset(self, data: mujoco.MjData) -> None:
        """Release everything, as at the start."""
        for gripper in self._grippers:
            gripper.holds, gripper.armed = None, False
        data.eq_active[self._welds.ravel()] = 0

    def let_grasp(self, grippers: Collection[str]) -> None:
        """Let closed grippers grasp at the next update, as if they had been open before."""
        for gripper in self._grippers:
            gripper.armed = gripper.armed or gripper.name in grippers

    def held(self) -> dict[str, str]:
        """Return the held items and fixtures: name -> gripper group."""
        return {self._things[g.holds].name: g.name for g in self._grippers if g.holds is not None}

    def stalled(self, targets: np.ndarray, data: mujoco.MjData) -> np.ndarray:
        """Return servo targets (nu,) with fingers limited to the width of what they hold."""
        targets = targets.copy()
        for g in self._grippers:
            if g.holds is not None:
                fraction = max((targets[g.servo] - g.closed) / g.span, g.stall)
                targets[g.servo] = g.closed + fraction * g.span
        return targets

    def update(self, data: mujoco.MjData, targets: np.ndarray) -> None:
        """Grasp and release. Must be called after every physics step."""
        position = data.qpos.item
        for row, g in enumerate(self._grippers):
            fraction = (position(g.qpos) - g.closed) / g.span
            if fraction > CLOSING:
                g.armed = True
                if g.holds is not None:
                    data.eq_active[self._welds[row, g.holds]] = 0
                    g.holds = None
                continue
            if g.holds is not None or not g.armed:
                continue
            wanted = (targets[g.servo] - g.closed) / g.span
            if wanted > CLOSING:
                continue
            self._try_to_hold(data, row, g)
            if g.holds is None and data.qvel[g.dof] / g.span > -_STILL:
                g.armed = False  # Closed on nothing: it must open before it can grasp.

    def _try_to_hold(self, data: mujoco.MjData, row: int, g: _Gripper) -> None:
        taken = {other.holds for other in self._grippers if other.holds is not None}
        tcp = data.site_xpos[g.site]
        best, nearest = None, REACH
        for i, (thing, body) in enumerate(zip(self._things, self._bodies, strict=True)):
            if i in taken:
                continue
            offset = tcp - data.xpos[body]
            if offset @ offset > self._farthest[i]:
                continue
            distance = thing.grasp.distance(data.xmat[body].reshape(3, 3).T @ offset)
            if distance <= nearest:
                best, nearest = i, distance
        if best is None:
            return
        weld, body, thing = self._welds[row, best], self._bodies[best], self._things[best]
        inverse = quaternion_conjugate(data.xquat[g.body])
        point = tcp if thing.ties_point else data.xpos[body]
        eq = self._model.eq_data[weld]
        eq[0:3] = data.xmat[body].reshape(3, 3).T @ (point - data.xpos[body])
        eq[3:6] = rotate(inverse, point - data.xpos[g.body])
        eq[6:10] = quaternion_multiply(inverse, data.xquat[body])
        eq[10] = 1.0 if thing.ties_rotation else 0.0  # Share of torque: 0 ties the point alone.
        data.eq_active[weld] = 1
        g.holds, g.armed = best, False
        width = thing.grasp.width
        fraction = (data.qpos[g.qpos] - g.closed) / g.span
        # Between two sliding fingers the gap is twice the joint's travel. With rotating fingers
        # the gap is not known, so they stop at their present position.
        g.stall = min(fraction, width / 2 / abs(g.span)) if g.slides else fraction


def graspable(room: Room) -> list[Graspable]:
    """Return the items and fixtures of a room that a gripper can hold."""
    items = [
        Graspable(item.name, item_body(item.name), item.grasp, False, True)
        for item in room.items
        if item.grasp is not None
    ]
    return items + [
        Graspable(f.name, fixture_body(f.name), f.grasp, True, f.turns_with_hand)
        for f in room.fixtures
    ]


def _weld(gripper: str, thing: str) -> str:
    return f"grasp/{gripper}/{thing}"
