"""Features of datasets: colour, depth by every mark, names of entries."""

import json

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes.lerobot_folders import write_v21, write_v30

from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.filters.episode_filter import EpisodeFilter
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.features import (
    camera_keys,
    entry_names,
    farthest_frame_s,
    not_colour,
)
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import write_bag
from pi05_ros.data.open import open_episodes

LAPTOP, DEPTH = "observation.images.laptop", "observation.images.depth"
MARKS = {
    "info, old": {"info": {"video.is_depth_map": True, "video.channels": 3}},
    "info, new": {"info": {"is_depth_map": True}},
    "video_info, old": {"info": {}, "video_info": {"video.is_depth_map": True}},
    "video_info, new": {"info": None, "video_info": {"is_depth_map": True}},
    "one of two": {"info": {"is_depth_map": False}, "video_info": {"is_depth_map": True}},
    "beside dtype": {"is_depth_map": True},
    "as text": {"info": {"video.is_depth_map": "true"}},
    "16 bits": {"info": {"video.pix_fmt": "gray16le", "video.is_depth_map": False}},
    "12 bits": {"info": {"video.pix_fmt": "gray12le"}},
}


def change(root, edit):
    path = root / "meta/info.json"
    info = json.loads(path.read_text())
    edit(info["features"])
    path.write_text(json.dumps(info))


def with_depth(root, mark):
    """Add a second camera: the first one's videos under a feature that is marked as depth."""
    change(root, lambda features: features.update({DEPTH: features[LAPTOP] | mark}))
    for video in list(root.rglob("*.mp4")):
        copy = root / str(video.relative_to(root)).replace(LAPTOP, DEPTH)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(video.read_bytes())
    return root


@pytest.mark.parametrize("name", MARKS)
def test_depth_is_left_out_by_each_mark(tmp_path, name, caplog):
    root = with_depth(write_v21(tmp_path / "cubes"), MARKS[name])
    assert [one.cameras for one in open_episodes(root)] == [("laptop",)] * 2
    assert f"cubes: left out, as the model takes colour pictures: {DEPTH} (depth)" in caplog.text


def test_marked_depth_is_in_no_bag_no_dataset_and_no_sample(tmp_path):
    root = with_depth(write_v21(tmp_path / "cubes"), MARKS["info, new"])
    first = open_dataset(root)[0]
    write_bag(first, tmp_path / "bags")
    assert open_episodes(tmp_path / "bags")[0].cameras == ("laptop",)
    export([first], tmp_path / "set", ExportSettings(EpisodeFilter(outcomes=("none",))))
    assert open_dataset(tmp_path / "set")[0].cameras == ("laptop",)
    with pytest.raises(Exception, match="has no pictures of depth"):
        Samples([first], ("laptop", "depth"))


def test_marks_that_are_not_set_leave_a_colour_camera(tmp_path, caplog):
    unmarked = {"info": {"video.is_depth_map": False, "is_depth_map": None}, "video_info": {}}
    root = with_depth(write_v21(tmp_path / "cubes"), unmarked)
    assert open_dataset(root)[0].cameras == ("laptop", "depth")
    assert not caplog.text


def grey_video(path):
    """A lossless video of 16-bit grey, as depth is stored."""
    import av

    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "gray16le"
        for row in range(12):
            picture = np.full((32, 48), 1000 * row, np.uint16)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray16le")))
        container.mux(stream.encode(None))


def test_a_depth_video_without_a_mark_is_refused_when_it_is_read(tmp_path):
    root = write_v21(tmp_path / "cubes")
    (video,) = root.rglob("episode_000000.mp4")
    grey_video(video)
    with pytest.raises(DatasetError, match=r"gray16le pixels: depth, not colour; mark the feat"):
        open_dataset(root)[0].picture("laptop", 0)


def test_depth_in_a_table_without_a_mark_is_refused_when_it_is_read(tmp_path):
    root = write_v30(tmp_path / "cubes", videos=False)
    data = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(data)
    deep = np.full((32, 48), 1234, np.uint16)
    for suffix in (".png", ".tiff"):
        cell = {"bytes": bytes(cv2.imencode(suffix, deep)[1]), "path": None}
        cells = pa.array([cell] * 19, table.schema.field(LAPTOP).type)
        pq.write_table(table.set_column(table.num_columns - 1, LAPTOP, cells), data)
        with pytest.raises(DatasetError, match="one channel of more than 8 bits: depth, not col"):
            open_dataset(root)[1].picture("laptop", 3)


def test_grey_of_eight_bits_is_a_camera(tmp_path):
    root = write_v30(tmp_path / "cubes", videos=False)
    data = root / "data/chunk-000/file-000.parquet"
    table = pq.read_table(data)
    cell = {"bytes": bytes(cv2.imencode(".png", np.full((32, 48), 77, np.uint8))[1]), "path": None}
    cells = pa.array([cell] * 19, table.schema.field(LAPTOP).type)
    pq.write_table(table.set_column(table.num_columns - 1, LAPTOP, cells), data)
    assert (open_dataset(root)[1].picture("laptop", 3) == 77).all()


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["a", "b"], ("a", "b")),
        ({"axes": ["a", "b"]}, ("a", "b")),
        (None, ("state_0", "state_1")),
        (["a"], ("state_0", "state_1")),
    ],
)
def test_names_of_entries(names, wanted):
    assert entry_names({"names": names, "shape": [2]}, "state") == wanted


def test_cameras_are_the_colour_ones_of_any_name():
    features = {
        "observation.images.top": {"dtype": "video", "shape": [4, 4, 3]},
        "observation.image": {"dtype": "image", "shape": [3, 4, 4]},
        "observation.images.depth": {"dtype": "video", "shape": [4, 4, 1]},
        "action": {"dtype": "float32", "shape": [3]},
    }
    assert camera_keys(features) == {
        "top": "observation.images.top",
        "observation.image": "observation.image",
    }
    assert not_colour(features) == {"observation.images.depth": "shape 4x4x1, not 3 channels"}


@pytest.mark.parametrize(
    ("rows", "video", "wanted"),
    [(10, 10, 0), (10, 20, 0), (10, 30, 0), (10, 15, 1 / 30), (10, 25, 0.02), (10, 12, 1 / 30)],
)
def test_distance_of_rows_to_frames(rows, video, wanted):
    feature = {"dtype": "video", "shape": [4, 4, 3], "info": {"video.fps": video}}
    assert farthest_frame_s(feature, rows) == pytest.approx(wanted, abs=1e-9)
    assert farthest_frame_s({**feature, "info": None}, rows) == 0
    old = {"dtype": "video", "info": {}, "video_info": {"video.fps": video}}
    assert farthest_frame_s(old, rows) == pytest.approx(wanted, abs=1e-9)


def test_videos_whose_frames_lie_between_rows_are_named(tmp_path, caplog):
    root = write_v21(tmp_path / "cubes")
    change(root, lambda features: features[LAPTOP].update(info={"video.fps": 20}))
    open_dataset(root)
    assert not caplog.text
    change(root, lambda features: features[LAPTOP].update(info={"video.fps": 15}))
    open_dataset(root)
    assert "the nearest one is taken, up to 33 ms (laptop) away" in caplog.text
