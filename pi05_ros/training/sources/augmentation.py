"""Random changes of a sample's pictures, as in openpi's public recipe; boxes follow them.

Cameras that see the robot's surroundings are cropped and rotated; wrist cameras are not, since
where the gripper appears in them must stay. All change their colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.training.recipes.recipe import AugmentationRecipe

Corners = tuple[float, float, float, float]  # x_min, y_min, x_max, y_max, fractions of a picture.
_GRAY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # Luma of rgb (ITU-R BT.601).
# A box of which less than this share is left in the picture is left out.
_MIN_VISIBLE = 0.25


@dataclass(frozen=True)
class Change:
    """The change of one picture.

    Attributes:
        matrix: (2, 3) from places in the old picture to those in the new one, in fractions; None:
            places stay.
        brightness: Factor on all values.
        contrast: Factor on the distance to the mean.
        saturation: Factor on the distance to the gray value.
    """

    matrix: np.ndarray | None
    brightness: float
    contrast: float
    saturation: float

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """Return the changed picture (h, w, 3) uint8; (h, w, 3) uint8 rgb."""
        import cv2

        if self.matrix is not None:
            picture = _moved(picture, self.matrix)
        # All three are linear in a pixel, and the gray value of gray is itself, so that they are
        # one matrix and an offset: b · c · (s · I + (1 - s) · 1 grayᵀ) and (1 - c) · b · mean.
        mean = self.brightness * float(_GRAY @ np.asarray(cv2.mean(picture))[:3])
        mixing = self.saturation * np.eye(3) + (1.0 - self.saturation) * np.ones((3, 1)) * _GRAY
        linear = self.brightness * self.contrast * mixing
        offset = np.full((3, 1), (1.0 - self.contrast) * mean)
        changed: np.ndarray = cv2.transform(picture, np.concatenate([linear, offset], axis=1))
        return changed

    def move(self, box: Corners) -> Corners | None:
        """Return the box in the new picture, cut at its edges; None if too little is left."""
        if self.matrix is None:
            return box
        x_min, y_min, x_max, y_max = box
        points = np.array([[x, y, 1.0] for x in (x_min, x_max) for y in (y_min, y_max)])
        moved = points @ self.matrix.T
        # The box around the rotated box is larger: the centre's and the sides' own are kept.
        centre = moved.mean(axis=0)
        size = np.array([x_max - x_min, y_max - y_min]) * np.hypot(*self.matrix[:, 0])
        low, high = centre - size / 2, centre + size / 2
        inside_low, inside_high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        left = float(np.prod(inside_high - inside_low))
        if left < _MIN_VISIBLE * max(float(np.prod(high - low)), 1e-9):
            return None
        return (*inside_low.tolist(), *inside_high.tolist())


def draw_change(recipe: AugmentationRecipe, camera: str, draw: np.random.Generator) -> Change:
    """Draw the change of a camera's picture.

    Args:
        recipe: Ranges.
        camera: Name of the camera.
        draw: Random numbers.
    """
    shift, angle = draw.random(2), draw.uniform(-1.0, 1.0)
    brightness, contrast, saturation = draw.uniform(-1.0, 1.0, 3)
    matrix = None
    if camera not in recipe.wrist_cameras and (recipe.crop_share < 1.0 or recipe.rotate_deg):
        matrix = _crop_and_rotation(recipe, shift, float(angle))
    return Change(
        matrix,
        1.0 + recipe.brightness * float(brightness),
        1.0 + recipe.contrast * float(contrast),
        1.0 + recipe.saturation * float(saturation),
    )


def _crop_and_rotation(recipe: AugmentationRecipe, shift: np.ndarray, angle: float) -> np.ndarray:
    """Matrix (2, 3) of a crop scaled to the whole picture, and a rotation about its middle.

    Args:
        recipe: Ranges.
        shift: Place of the crop, (2,) from 0 to 1.
        angle: From -1 to 1, as a share of the largest rotation.
    """
    share = recipe.crop_share
    corner = shift * (1.0 - share)
    turn = np.deg2rad(recipe.rotate_deg * angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # new = R · ((old - corner) / share - 1/2) + 1/2
    linear = rotation / share
    offset = rotation @ (-corner / share - 0.5) + 0.5
    return np.concatenate([linear, offset[:, None]], axis=1)


def _moved(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Move a picture by a matrix of fractions; what comes from outside is black."""
    import cv2

    height, width = picture.shape[:2]
    scale = np.array([width, height], dtype=np.float64)
    pixels = np.concatenate(
        [matrix[:, :2] * scale[:, None] / scale[None, :], (matrix[:, 2] * scale)[:, None]], axis=1
    )
    # cv2 counts places from the middle of the first pixel.
    pixels[:, 2] += pixels[:, :2] @ np.array([0.5, 0.5]) - 0.5
    moved: np.ndarray = cv2.warpAffine(picture, pixels, (width, height), flags=cv2.INTER_LINEAR)
    return moved
