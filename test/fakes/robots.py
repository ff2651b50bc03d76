"""Robots of other users: arms of any number of joints, with or without base, torso and head."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from pi05_ros.platforms.platform import Platform, load_platform

_INERTIAL = (
    '<inertial><origin xyz="{x} 0 0"/><mass value="{mass}"/>'
    '<inertia ixx="0.02" iyy="0.02" izz="0.02" ixy="0" ixz="0" iyz="0"/></inertial>'
)
_AXES = ("0 0 1", "0 1 0", "1 0 0", "0 1 0", "1 0 0", "0 1 0", "1 0 0")
_BASES = {
    "holonomic": (("base_vx", "m/s"), ("base_vy", "m/s"), ("base_wz", "rad/s")),
    "differential": (("base_vx", "m/s"), ("base_wz", "rad/s")),
    "": (),
}


@dataclass(frozen=True)
class RobotKind:
    """What a robot has."""

    arms: tuple[str, ...] = ("arm",)  # Names of the groups of joints.
    grippers: tuple[str, ...] = ("gripper",)
    joints: int = 7  # Of each arm.
    base: str = "differential"  # Key of _BASES; "": none.
    torso: bool = False
    head: bool = False
    tag: bool = True  # The URDF has a ros2_control tag.
    base_frame: str = "base_link"
    visual: str = '<box size="0.05 0.05 0.05"/>'  # Geometry of every link of the arms.


def make_robot(folder: Path, kind: RobotKind = RobotKind()) -> Platform:
    """Write a robot's URDF and, beside it, its YAML; load it."""
    robot = _Robot(kind)
    (folder / "robot.urdf").write_text(robot.urdf())
    path = folder / "my_robot.yaml"
    path.write_text(yaml.safe_dump(robot.content(), sort_keys=False))
    return load_platform(str(path))


class _Robot:
    def __init__(self, kind: RobotKind) -> None:
        self.kind = kind
        self.elements: list[str] = []
        self.states: list[str] = []
        self.groups: list[dict] = []
        self._build()

    def urdf(self) -> str:
        elements = list(self.elements)
        if self.kind.tag:
            joints = "".join(
                f'<joint name="{name}"><state_interface name="position"/></joint>'
                for name in self.states
            )
            elements.append(f'<ros2_control name="x" type="system">{joints}</ros2_control>')
        return f'<robot name="my_robot">{"".join(elements)}</robot>'

    def content(self) -> dict:
        cameras = [
            {"name": name, "topic": f"/{name}_camera/image_raw", "frame": f"{name}_optical"}
            | {"width": 64, "height": 48, "rate_hz": 10}
            for name in ("front", "wrist")
        ]
        return {
            "name": "my_robot",
            "description": "A robot for tests.",
            "urdf": "robot.urdf",
            "base_frame": self.kind.base_frame,
            "groups": self.groups,
            "cameras": cameras,
            "planner_cameras": ["front", "wrist"],
            "policy_cameras": ["front", "wrist"],
        }

    def _build(self) -> None:
        kind = self.kind
        self._link(kind.base_frame, 30)
        self._mount("column", kind.base_frame, "0 0 0.5", 10)
        carrier = "column"
        if kind.torso:
            self._joint("lift", "prismatic", "column", "carriage", "0.1 0 0.4", "0 0 1", 0, 0.4)
            self._group("torso", [("lift", "m", 0.0, 0.4, 0.2)])
            carrier = "carriage"
        for number, (arm, gripper) in enumerate(zip(kind.arms, kind.grippers, strict=True)):
            self._arm(arm, gripper, carrier, 0.2 - 0.4 * number if len(kind.arms) > 1 else 0.0)
        if kind.head:
            self._joint("pan", "revolute", carrier, "head", "0 0 0.4", "0 0 1", -1, 1)
            self._group("head", [("pan", "rad", -1.0, 1.0, 0.0)])
        eye = "head" if kind.head else carrier
        self._mount("front_optical", eye, "0.1 0 0.4", 0.01, "-1.5708 0 -1.5708")
        self._mount("wrist_optical", f"{kind.arms[0]}_link_{kind.joints}", "0 0 0.1", 0.01)
        if kind.base:
            self.groups.append(
                {
                    "name": "wheels",
                    "controller": {"name": "wheels_controller", "kind": "base_velocity"},
                    "dimensions": [
                        {"name": name, "unit": unit, "max_velocity": 0.5, "max_acceleration": 1.0}
                        for name, unit in _BASES[kind.base]
                    ],
                }
            )

    def _arm(self, arm: str, gripper: str, carrier: str, y: float) -> None:
        dimensions = []
        parent = carrier
        for number in range(1, self.kind.joints + 1):
            name, child = f"{arm}_joint_{number}", f"{arm}_link_{number}"
            place = f"0.15 {y} 0.4" if number == 1 else "0.12 0 0"
            axis = _AXES[number - 1]
            self._joint(name, "revolute", parent, child, place, axis, -2.5, 2.5, self.kind.visual)
            dimensions.append((name, "rad", -2.5, 2.5, 0.3))
            parent = child
        self._group(arm, dimensions)
        finger = f"{gripper}_finger_joint"
        self._joint(finger, "prismatic", parent, f"{gripper}_finger", "0.1 0 0", "0 1 0", 0, 0.04)
        self._mount(f"{gripper}_tcp", parent, "0.15 0 0", 0.01)
        self._group(gripper, [(finger, "fraction", 0.0, 1.0, 1.0)], "parallel_gripper")
        self.groups[-1] |= {"joint_closed": 0.0, "joint_open": 0.04}

    def _group(self, name, dimensions, kind="joint_trajectory") -> None:
        self.groups.append(
            {
                "name": name,
                "controller": {"name": f"{name}_controller", "kind": kind},
                "dimensions": [
                    {"name": joint, "unit": unit, "min_position": low, "max_position": high}
                    | {"max_velocity": 1.5, "max_acceleration": 6.0, "home": home}
                    for joint, unit, low, high, home in dimensions
                ],
            }
        )

    def _link(self, name: str, mass: float, visual: str = "") -> None:
        seen = f"<visual><geometry>{visual}</geometry></visual>" if visual else ""
        inertial = _INERTIAL.format(x=0.05, mass=mass)
        self.elements.append(f'<link name="{name}">{inertial}{seen}</link>')

    def _mount(self, name: str, parent: str, xyz: str, mass: float, rpy: str = "0 0 0") -> None:
        self._link(name, mass)
        self.elements.append(
            f'<joint name="{name}_mount" type="fixed"><parent link="{parent}"/>'
            f'<child link="{name}"/><origin xyz="{xyz}" rpy="{rpy}"/></joint>'
        )

    def _joint(self, name, type_, parent, child, xyz, axis, low, high, visual="") -> None:
        self._link(child, 1.0, visual)
        self.states.append(name)
        self.elements.append(
            f'<joint name="{name}" type="{type_}"><parent link="{parent}"/>'
            f'<child link="{child}"/><origin xyz="{xyz}"/><axis xyz="{axis}"/>'
            f'<limit lower="{low}" upper="{high}" velocity="2" effort="60"/></joint>'
        )
