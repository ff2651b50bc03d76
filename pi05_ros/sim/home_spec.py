"""MuJoCo specification of a room: fixed and moving furniture, items on free joints, light."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np

from pi05_ros.sim.homes.geometry import yaw_quaternion
from pi05_ros.sim.homes.parts import Part, bounds
from pi05_ros.sim.homes.room import Fixture, Item, Room
from pi05_ros.sim.robot import CONTACT_AFFINITY, FIXTURE, ITEM, WORLD

_SHAPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    "lathe": mujoco.mjtGeom.mjGEOM_MESH,
}
_LATHE_SIDES = 24
LAMP = "lamp"  # Name of the directional light.
_COLLISION_ONLY_GROUP = 3  # Group of geoms that collide but are not rendered.


def item_body(name: str) -> str:
    """Return the name of the MuJoCo body of the item called `name`."""
    return f"item/{name}"


def item_joint(name: str) -> str:
    """Return the name of the free joint of the item called `name`."""
    return f"item/{name}"


def fixture_body(name: str) -> str:
    """Return the name of the MuJoCo body of the fixture called `name`."""
    return f"fixture/{name}"


def fixture_joint(name: str, index: int) -> str:
    """Return the name of a joint of the fixture called `name`, by its index in `joints`."""
    return f"fixture/{name}/{index}"


def fixture_start(room: Room) -> dict[str, float]:
    """Return where the joints of all fixtures start, by joint name [m or rad]."""
    return {
        fixture_joint(fixture.name, i): joint.start
        for fixture in room.fixtures
        for i, joint in enumerate(fixture.joints)
    }


def add_room(spec: mujoco.MjSpec, room: Room) -> None:
    """Add a room to the robot's `spec`. The world frame is odom."""
    _add_light(spec, room)
    _add_textures(spec, room)
    body = spec.worldbody.add_body(name="room")
    pose = room.walls.pose
    body.pos = [pose.x, pose.y, 0.0]
    body.quat = [np.cos(pose.yaw / 2), 0.0, 0.0, np.sin(pose.yaw / 2)]
    for i, part in enumerate(room.furniture):
        _add_part(spec, body, part, f"room/{i}", WORLD)
    for fixture in room.fixtures:
        _add_fixture(spec, fixture)
    for item in room.items:
        _add_item(spec, item)


def _add_fixture(spec: mujoco.MjSpec, fixture: Fixture) -> None:
    body = spec.worldbody.add_body(name=fixture_body(fixture.name))
    body.pos = [fixture.pose.x, fixture.pose.y, fixture.height]
    body.quat = yaw_quaternion(fixture.pose.yaw)
    kinds = {"slide": mujoco.mjtJoint.mjJNT_SLIDE, "hinge": mujoco.mjtJoint.mjJNT_HINGE}
    for i, joint in enumerate(fixture.joints):
        added = body.add_joint(name=fixture_joint(fixture.name, i), type=kinds[joint.kind])
        added.axis = joint.axis
        added.range = joint.range
        added.limited = mujoco.mjtLimited.mjLIMITED_TRUE
        added.damping[0] = joint.damping
        added.frictionloss = joint.friction
    low, high = bounds(fixture.parts)
    x, y, z = high - low
    body.mass = fixture.mass
    body.ipos = (low + high) / 2
    body.inertia = fixture.mass / 12 * np.array([y * y + z * z, x * x + z * z, x * x + y * y])
    body.explicitinertial = True
    for i, part in enumerate(fixture.parts):
        _add_part(spec, body, part, f"{fixture.name}/{i}", FIXTURE)


def _add_item(spec: mujoco.MjSpec, item: Item) -> None:
    body = spec.worldbody.add_body(name=item_body(item.name))
    body.pos = item.position
    body.quat = item.pose.quaternion
    body.add_freejoint(name=item_joint(item.name))
    x, y, z = item.design.size
    mass = item.design.mass
    body.mass = mass
    body.ipos = _middle_of_mass(item)
    # Inertia of a solid box of the item's size, larger than a shell's: less prone to jitter.
    body.inertia = mass / 12 * np.array([y * y + z * z, x * x + z * z, x * x + y * y])
    body.explicitinertial = True
    for i, part in enumerate(item.design.parts):
        _add_part(spec, body, part, f"{item.name}/{i}", ITEM)


def _middle_of_mass(item: Item) -> np.ndarray:
    """Centre (3,) of an item's collision boxes in its frame [m], lowered by 20 % for stability."""
    colliding = [part for part in item.design.parts if part.collides]
    volumes = [float(np.prod(part.size)) for part in colliding]
    middle = np.average([part.position for part in colliding], axis=0, weights=volumes)
    return middle * [1.0, 1.0, 0.8]


def _add_part(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, part: Part, name: str, contact: int
) -> None:
    geom = body.add_geom(name=name, type=_SHAPES[part.shape])
    geom.pos = part.position
    geom.quat = part.quaternion
    if part.shape == "lathe":
        geom.meshname = _lathe(spec, name, part.profile)
    else:
        geom.size[: len(part.size)] = part.size
    geom.rgba = part.color
    geom.material = _material(spec, part)
    geom.mass = 0.0
    geom.contype = contact if part.collides else 0
    geom.conaffinity = CONTACT_AFFINITY[contact] if part.collides else 0
    geom.group = 1 if part.visible else _COLLISION_ONLY_GROUP
    geom.condim = 3
    geom.friction = [0.7, 0.005, 0.0001]


def _material(spec: mujoco.MjSpec, part: Part) -> str:
    """Return the name of the material of a part's texture and shine, creating it if missing."""
    name = f"{part.texture}/{part.shine:.2f}"
    if spec.material(name) is None:
        material = spec.add_material(name=name, specular=part.shine, shininess=part.shine)
        if part.texture:
            material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = part.texture
            material.texuniform = True
            material.texrepeat = [_REPEATS[part.texture], _REPEATS[part.texture]]
    return name


def _lathe(spec: mujoco.MjSpec, name: str, profile: tuple[tuple[float, float], ...]) -> str:
    """Add a surface of revolution about z as a mesh, and return its name."""
    angles = np.arange(_LATHE_SIDES) * 2 * np.pi / _LATHE_SIDES
    vertices: list[tuple[float, float, float]] = []
    rings: list[tuple[int, bool]] = []  # (first vertex, whether it is a ring rather than a tip)
    for radius, height in profile:
        rings.append((len(vertices), radius > 1e-6))
        if radius > 1e-6:
            vertices += [(radius * np.cos(a), radius * np.sin(a), height) for a in angles]
        else:
            vertices.append((0.0, 0.0, height))
    faces = []
    for (low, low_round), (high, high_round) in itertools.pairwise(rings):
        for i in range(_LATHE_SIDES):
            j = (i + 1) % _LATHE_SIDES
            if low_round:
                faces.append((low + i, low + j, high + (j if high_round else 0)))
            if high_round:
                faces.append((low + (i if low_round else 0), high + j, high + i))
    spec.add_mesh(
        name=name,
        uservert=np.array(vertices, dtype=np.float64).ravel(),
        userface=np.array(faces, dtype=np.int32).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    return name


_PICTURE = (1280, 960)  # Largest picture that can be rendered [pixel].
_REPEATS = {"tiles": 5.0, "wood": 0.8, "checker": 1.8}  # Per metre.


def _add_textures(spec: mujoco.MjSpec, room: Room) -> None:
    flat2d = {"type": mujoco.mjtTexture.mjTEXTURE_2D, "nchannel": 3}
    spec.add_texture(
        name="tiles", builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT, mark=mujoco.mjtMark.mjMARK_EDGE,
        rgb1=[1, 1, 1], markrgb=[0.72, 0.72, 0.72], width=64, height=64, **flat2d,
    )  # fmt: skip
    spec.add_texture(
        name="checker", builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[1, 1, 1], rgb2=[0.8, 0.8, 0.8], width=64, height=64, **flat2d,
    )  # fmt: skip
    wood = _wood_picture(np.random.Generator(np.random.PCG64(room.seed)))
    texture = spec.add_texture(name="wood", width=wood.shape[1], height=wood.shape[0], **flat2d)
    texture.data = wood.tobytes()


def _wood_picture(rng: np.random.Generator, size: int = 128, planks: int = 8) -> np.ndarray:
    """Generate a wood texture of planks with grain, (size, size, 3) uint8 grey, to be tinted."""
    picture = np.empty((size, size))
    width = size // planks
    for plank in range(planks):
        grain = np.cumsum(rng.normal(0, 0.012, (width, 1)), axis=0)
        along = 0.02 * np.sin(np.arange(size) * rng.uniform(0.02, 0.08) + rng.uniform(0, 6))
        block = rng.uniform(0.82, 0.98) + grain + along + rng.normal(0, 0.008, (width, size))
        block[0] *= 0.75
        block[:, int(rng.integers(size))] *= 0.75
        picture[plank * width : (plank + 1) * width] = block
    return np.repeat((np.clip(picture, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)


def _add_light(spec: mujoco.MjSpec, room: Room) -> None:
    look = room.look
    visual = spec.visual
    # Rendering on a CPU is four times faster with these than with MuJoCo's defaults.
    visual.quality.offsamples, visual.quality.shadowsize = 0, 0
    visual.quality.numslices, visual.quality.numstacks = 12, 6
    visual.map.znear, visual.map.zfar = 0.01, 20.0
    visual.global_.offwidth, visual.global_.offheight = _PICTURE
    spec.stat.extent = 1.0  # What znear and zfar are multiples of.
    spec.visual.headlight.ambient = [look.ambient] * 3
    spec.visual.headlight.diffuse = [0.2] * 3
    spec.visual.headlight.specular = [0.0] * 3
    direction = np.array(look.light_direction)
    c, s = np.cos(room.walls.pose.yaw), np.sin(room.walls.pose.yaw)
    direction[:2] = c * direction[0] - s * direction[1], s * direction[0] + c * direction[1]
    spec.worldbody.add_light(
        name=LAMP, type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, dir=direction,
        pos=[0, 0, 3], diffuse=[look.light] * 3, specular=[0.25] * 3, castshadow=False,
    )  # fmt: skip
