"""Which camera of a robot gives which of the model's pictures."""

from __future__ import annotations

from collections.abc import Sequence


def picture_places(model: Sequence[str], own: Sequence[str]) -> dict[str, str]:
    """Give the cameras of a robot places among the model's pictures.

    A camera that the model knows keeps its place. Of the others, first those take a free place
    that share a word with it ("wrist" that of "left_wrist"), then the rest in their order; cameras
    for which no place is left are not used.

    Args:
        model: Names of the model's pictures, in order.
        own: Cameras of the robot, in order of importance.

    Returns:
        The name of its picture by camera, in the order of the pictures.
    """
    places = {camera: camera for camera in own if camera in model}
    for alike in (True, False):
        for camera in own:
            if camera in places:
                continue
            taken = places.values()
            free = [name for name in model if name not in taken]
            fitting = [name for name in free if not alike or _share_a_word(camera, name)]
            if fitting:
                places[camera] = fitting[0]
    order = list(model)
    return dict(sorted(places.items(), key=lambda pair: order.index(pair[1])))


def _share_a_word(one: str, other: str) -> bool:
    return bool(set(one.split("_")) & set(other.split("_")))
