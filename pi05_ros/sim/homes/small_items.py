"""Small things that belong in a drawer. Each maker draws random proportions."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.homes.dishes import Maker
from pi05_ros.sim.homes.items import (
    BLACK,
    COLORS,
    SILVER,
    Design,
    Grasp,
    centred,
    collision_box,
    draw,
)
from pi05_ros.sim.homes.parts import ALONG_X, ALONG_Y, Part, about_z


def make_sponge(rng: np.random.Generator, color_name: str) -> Design:
    """Make a kitchen sponge with a rough upper side."""
    x, y, h = draw(rng, 0.048, 0.055), draw(rng, 0.028, 0.032), draw(rng, 0.032, 0.04)
    rough = (0.12, 0.38, 0.2, 1.0) if color_name != "green" else (0.55, 0.14, 0.13, 1.0)
    parts = (
        Part("box", (x, y, 0.38 * h), (0, 0, 0.38 * h), color=COLORS[color_name], shine=0.0),
        Part("box", (x, y, 0.12 * h), (0, 0, 0.88 * h), color=rough, shine=0.0),
        collision_box(x, y, h),
    )
    grasp = Grasp((0, 0, h - 0.01), 2 * y, along=0.0)
    return Design("sponge", "sponge", color_name, parts, 0.05, grasp)


def make_remote(rng: np.random.Generator, color_name: str) -> Design:
    """Make a remote control with rows of buttons."""
    x, y, h = draw(rng, 0.075, 0.09), draw(rng, 0.02, 0.024), 0.02
    body = (0.16, 0.16, 0.18, 1.0)
    pale, red = (0.75, 0.75, 0.77, 1.0), COLORS["red"]
    keys = [(i, j) for i in np.linspace(-0.6, 0.4, 5).tolist() for j in (-0.5, 0.0, 0.5)]
    parts = (
        Part("box", (x, y, h / 2), (0, 0, h / 2), color=body),
        *(Part("box", (0.005, 0.004, 0.001), (i * x, j * y, h), color=pale) for i, j in keys),
        Part("cylinder", (0.005, 0.001), (0.82 * x, 0, h), color=red),
        collision_box(x, y, h),
    )
    grasp = Grasp((0, 0, 0.018), 2 * y, along=0.0)
    return Design("remote", "remote control", "", parts, 0.12, grasp)


def make_toy_car(rng: np.random.Generator, color_name: str) -> Design:
    """Make a toy car that stands on four wheels, its length along x."""
    x, y, r = draw(rng, 0.045, 0.055), draw(rng, 0.021, 0.024), 0.011
    glass, h = (0.55, 0.7, 0.8, 1.0), 0.042
    wheels = [(0.6 * i * x, j * y) for i in (-1, 1) for j in (-1, 1)]
    parts = (
        Part("box", (x, y, 0.009), (0, 0, 0.018), color=COLORS[color_name], shine=0.7),
        Part("box", (0.5 * x, 0.9 * y, 0.007), (-0.1 * x, 0, 0.034), color=glass, shine=0.9),
        Part("box", (0.44 * x, 0.92 * y, 0.002), (-0.1 * x, 0, h), color=COLORS[color_name]),
        *(Part("cylinder", (r, 0.004), (i, j, r), ALONG_Y, BLACK) for i, j in wheels),
        collision_box(x, y, h),
    )
    grasp = Grasp((-0.1 * x, 0, 0.03), 2 * y, along=0.0)
    return centred(Design("toy_car", "toy car", color_name, parts, 0.1, grasp))


def make_tape(rng: np.random.Generator, color_name: str) -> Design:
    """Make a roll of adhesive tape that lies flat; graspable all around its ring."""
    r, h, wall = draw(rng, 0.038, 0.046), draw(rng, 0.022, 0.03), 0.013
    inner = r - wall
    profile = ((inner, 0), (r, 0), (r, h), (inner, h), (inner, 0))
    core = ((inner - 0.002, 0), (inner, 0), (inner, h), (inner - 0.002, h), (inner - 0.002, 0))
    parts = (
        Part("lathe", profile=profile, color=COLORS[color_name], shine=0.6),
        Part("lathe", profile=core, color=(0.72, 0.58, 0.4, 1.0)),
        collision_box(0.7 * r, 0.7 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.006), wall, r - wall / 2)
    return Design("tape", "roll of tape", color_name, parts, 0.1, grasp)


def make_marker(rng: np.random.Generator, color_name: str) -> Design:
    """Make a thick felt-tip pen with its cap on, along x."""
    half, r = draw(rng, 0.062, 0.07), draw(rng, 0.0095, 0.011)
    barrel, cap = (0.88, 0.88, 0.86, 1.0), COLORS[color_name]
    parts = (
        Part("cylinder", (r, 0.62 * half), (-0.38 * half, 0, r), ALONG_X, barrel),
        Part("cylinder", (1.05 * r, 0.38 * half), (0.62 * half, 0, 1.05 * r), ALONG_X, cap),
        Part("cylinder", (1.02 * r, 0.05 * half), (-0.95 * half, 0, 1.02 * r), ALONG_X, cap),
        collision_box(half, r, 2 * r),
    )
    grasp = Grasp((0, 0, 0.016), 2 * r, along=0.0)
    return centred(Design("marker", "marker", color_name, parts, 0.05, grasp))


def make_screwdriver(rng: np.random.Generator, color_name: str) -> Design:
    """Make a screwdriver, its shaft along x."""
    handle, shaft, r = draw(rng, 0.045, 0.052), draw(rng, 0.04, 0.05), draw(rng, 0.013, 0.015)
    parts = (
        Part("capsule", (r, handle - r), (-shaft, 0, r), ALONG_X, COLORS[color_name], shine=0.6),
        Part("cylinder", (0.7 * r, 0.006), (-shaft + handle, 0, r), ALONG_X, BLACK),
        Part("cylinder", (0.0035, shaft), (handle, 0, r), ALONG_X, SILVER, shine=0.9),
        Part("box", (0.006, 0.005, 0.0015), (handle + shaft, 0, r), color=SILVER, shine=0.9),
        collision_box(handle + shaft, 0.8 * r, 2 * r),
    )
    grasp = Grasp((-0.3 * shaft, 0, 0.018), 1.6 * r, along=0.0)
    return centred(Design("screwdriver", "screwdriver", color_name, parts, 0.12, grasp))


def make_scissors(rng: np.random.Generator, color_name: str) -> Design:
    """Make closed scissors, their blades along x."""
    n, ring = draw(rng, 0.085, 0.095), 0.019
    eye = ((0.6 * ring, 0), (ring, 0), (ring, 0.01), (0.6 * ring, 0.01), (0.6 * ring, 0))
    color = COLORS[color_name]
    blades = (about_z(-0.05), about_z(0.05))
    parts = (
        *(Part("box", (0.6 * n, 0.006, 0.002), (0.4 * n, 0, 0.006), q, SILVER, shine=0.9)
          for q in blades),
        *(Part("capsule", (0.005, 0.22 * n), (-0.36 * n, 0.3 * s * ring, 0.006),
               _flat(-0.25 * s), color) for s in (-1, 1)),
        *(Part("lathe", (), (-0.72 * n, s * 0.95 * ring, 0.001), color=color, profile=eye)
          for s in (-1, 1)),
        Part("cylinder", (0.005, 0.002), (0, 0, 0.009), color=BLACK),
        collision_box(0.9 * n, 0.014, 0.012),
    )  # fmt: skip
    grasp = Grasp((-0.05 * n, 0, 0.016), 0.016, along=0.0)
    return centred(Design("scissors", "pair of scissors", color_name, parts, 0.08, grasp))


def make_stapler(rng: np.random.Generator, color_name: str) -> Design:
    """Make a stapler, its length along x."""
    x, y = draw(rng, 0.06, 0.07), 0.017
    parts = (
        Part("box", (x, y, 0.004), (0, 0, 0.004), color=BLACK),
        Part("box", (0.9 * x, 0.6 * y, 0.004), (0.05 * x, 0, 0.022), color=SILVER, shine=0.8),
        Part("box", (0.97 * x, 0.8 * y, 0.009), (0.02 * x, 0, 0.036), color=COLORS[color_name]),
        Part("box", (0.16 * x, 0.7 * y, 0.014), (-0.8 * x, 0, 0.02), color=COLORS[color_name]),
        collision_box(x, y, 0.045),
    )
    grasp = Grasp((0, 0, 0.034), 1.6 * y, along=0.0)
    return centred(Design("stapler", "stapler", color_name, parts, 0.2, grasp))


def make_torch(rng: np.random.Generator, color_name: str) -> Design:
    """Make a hand-held torch that lies along x."""
    half, r = draw(rng, 0.055, 0.065), draw(rng, 0.014, 0.016)
    head, lens = 1.35 * r, (0.95, 0.93, 0.75, 1.0)
    parts = (
        Part(
            "cylinder", (r, half), (-0.2 * half, 0, head), ALONG_X, COLORS[color_name], shine=0.7
        ),
        Part("cylinder", (head, 0.25 * half), (0.95 * half, 0, head), ALONG_X, BLACK, shine=0.7),
        Part("cylinder", (0.85 * head, 0.002), (1.2 * half, 0, head), ALONG_X, lens, shine=0.9),
        Part("box", (0.008, 0.004, 0.003), (0.2 * half, 0, head + r), color=BLACK),
        collision_box(1.15 * half, 0.75 * head, 2 * head),
    )
    grasp = Grasp((0, 0, head + 0.4 * r), 2 * r, along=0.0)
    return centred(Design("torch", "torch", color_name, parts, 0.15, grasp))


def _flat(yaw: float) -> tuple[float, float, float, float]:
    """Return the rotation that lays a capsule's axis level, in the direction `yaw` [rad]."""
    c, s, h = math.cos(yaw / 2), math.sin(yaw / 2), math.sqrt(0.5)
    return (h * c, -h * s, h * c, h * s)


SMALL_ITEMS: dict[str, Maker] = {
    "sponge": make_sponge,
    "remote": make_remote,
    "toy_car": make_toy_car,
    "tape": make_tape,
    "marker": make_marker,
    "screwdriver": make_screwdriver,
}
# Kinds that no home draws for training: for tests with objects that were never seen.
UNSEEN_SMALL_ITEMS: dict[str, Maker] = {
    "scissors": make_scissors,
    "stapler": make_stapler,
    "torch": make_torch,
}
