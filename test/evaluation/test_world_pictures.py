"""Pictures of trials are those that the nodes would give a brain, and are rendered late."""

import cv2
import numpy as np
import pytest

from pi05_ros.cameras.model_input import fit_driver_picture, model_input
from pi05_ros.cameras.rotation import upright
from pi05_ros.evaluation.world_pictures import DriverPictures, camera_period
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


class Renderer:
    """Draws a slope, and notes which cameras were looked at."""

    def __init__(self):
        self.asked = []

    def render(self, camera, snapshot):
        self.asked.append(camera)
        rows = np.linspace(0, 255, 240, dtype=np.uint8)[:, None, None]
        return np.broadcast_to(rows, (240, 320, 3)).copy()


def test_only_what_is_looked_at_is_rendered_and_once():
    renderer = Renderer()
    images = DriverPictures(PLATFORM, renderer, None).at((224, 224))
    assert "front" in images and "side" not in images and len(images) == 4
    assert list(images) == list(PLATFORM.camera_names)
    assert renderer.asked == []
    first = images["front"]
    assert images["front"] is first and images.at((112, 112))["front"].shape == (112, 112, 3)
    assert images.at((224, 224)) is images and images.at(None) is images
    assert renderer.asked == ["front"]
    with pytest.raises(KeyError):
        images["side"]


def test_they_are_fitted_as_those_of_the_live_path():
    image = DriverPictures(PLATFORM, Renderer(), None).at((224, 224))["front"]
    sent = Renderer().render("front", None)
    if PLATFORM.camera("front").transport == "compressed":
        _, jpeg = cv2.imencode(".jpg", sent, [cv2.IMWRITE_JPEG_QUALITY, 90])
        sent = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(image, model_input(sent))
    assert not image[:28].any() and not image[-28:].any()  # Bars above and below a 4:3 picture.


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_drivers_picture_is_turned_before_it_is_fitted(degrees):
    picture = np.random.default_rng(degrees).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    canvas = np.ones((112, 112, 3), np.uint8)
    box = fit_driver_picture(picture, degrees, canvas)
    np.testing.assert_array_equal(canvas, model_input(upright(picture, degrees), height=112))
    assert (box.width, box.height) == ((84, 112) if degrees % 180 else (112, 84))


def test_pictures_come_at_the_rate_of_the_slowest_camera():
    assert camera_period(PLATFORM) == pytest.approx(0.1)
