"""The frame of a row: the nearest one, at hand-computed numbers."""

from fractions import Fraction

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from fakes.lerobot_folders import write_v21

from pi05_ros.data.lerobot import decoding
from pi05_ros.data.lerobot.dataset import DatasetError, VideoPlace
from pi05_ros.data.lerobot.reader import open_dataset


def number_picture(number):
    """(32, 128, 3) uint8: eight blocks, white for a bit that is set."""
    bits = [220 if number >> bit & 1 else 30 for bit in range(8)]
    return np.repeat(np.tile(np.repeat(bits, 16), (32, 1))[..., None], 3, axis=2).astype(np.uint8)


def number_of(picture):
    return sum(1 << bit for bit in range(8) if picture[16, 16 * bit + 8, 0] > 128)


def write_video(path, times, base=Fraction(1, 12000)):
    """Frames with their numbers at given times [s]; key frames are rare, B-frames are used."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 128, 32, "yuv420p"
        stream.options = {"crf": "5", "g": "7", "bf": "2"}
        stream.codec_context.time_base = base
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(number_picture(number), format="rgb24")
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def even_video(path, fps, frames):
    """A video of constant rate, whose rate its header states."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 128, 32, "yuv420p"
        stream.options = {"crf": "5", "g": "7", "bf": "2"}
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(number_picture(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


NEAREST = {  # (rows per second, frames per second) -> frames of rows 0 to 7; ties go to even ones.
    (10, 10): [0, 1, 2, 3, 4, 5, 6, 7],
    (10, 12): [0, 1, 2, 4, 5, 6, 7, 8],
    (10, 15): [0, 2, 3, 4, 6, 8, 9, 10],
    (10, 20): [0, 2, 4, 6, 8, 10, 12, 14],
    (10, 24): [0, 2, 5, 7, 10, 12, 14, 17],
    (10, 25): [0, 2, 5, 8, 10, 12, 15, 18],
    (10, 30): [0, 3, 6, 9, 12, 15, 18, 21],
    (10, 60): [0, 6, 12, 18, 24, 30, 36, 42],
    (12, 30): [0, 2, 5, 8, 10, 12, 15, 18],
    (15, 60): [0, 4, 8, 12, 16, 20, 24, 28],
    (24, 60): [0, 2, 5, 8, 10, 12, 15, 18],
    (25, 30): [0, 1, 2, 4, 5, 6, 7, 8],
    (30, 60): [0, 2, 4, 6, 8, 10, 12, 14],
}


@pytest.mark.parametrize("rates", NEAREST)
def test_the_nearest_frame_in_any_order_of_access(tmp_path, rates):
    rows, fps = rates
    place = VideoPlace(even_video(tmp_path / "v.mp4", fps, round(8 * fps / rows) + 1))
    times = [row / rows for row in range(8)]
    assert [number_of(one) for one in decoding.frames(place, times, rows)] == NEAREST[rates]
    for row in (7, 0, 5, 6, 1, 1, 4, 2, 3, 7):
        assert number_of(decoding.frame(place, times[row], rows)) == NEAREST[rates][row], row


def test_frames_at_irregular_times(tmp_path):
    place = VideoPlace(write_video(tmp_path / "v.mp4", [0.0, 0.04, 0.13, 0.18, 0.31, 0.42]))
    for rows in (range(5), (4, 1, 3, 0, 2)):
        found = [number_of(decoding.frame(place, row / 10, 10)) for row in rows]
        assert found == [[0, 2, 3, 4, 5][row] for row in rows]


def test_the_first_and_the_last_frame_are_taken_from_half_a_period_away(tmp_path):
    place = VideoPlace(write_video(tmp_path / "v.mp4", [0.045, 0.1, 0.2, 0.3, 0.36]))
    assert number_of(decoding.frame(place, 0.0, 10)) == 0
    assert number_of(decoding.frame(place, 0.4, 10)) == 4
    place = VideoPlace(write_video(tmp_path / "w.mp4", [0.055, 0.1, 0.2, 0.3, 0.345]))
    for time in (0.0, 0.4):
        with pytest.raises(DatasetError, match=f"no frame at {time:.3f} s: it is cut or sparse"):
            decoding.frame(place, time, 10)
    assert number_of(decoding.frame(place, 0.1, 10)) == 1  # The cursor goes on after an error.


def test_a_slower_video_than_rows_is_refused_with_the_remedy(tmp_path):
    place = VideoPlace(even_video(tmp_path / "v.mp4", 10, 8))
    with pytest.raises(
        DatasetError, match=r"0.033 s.*nearest is at 0.000 s, wanted one within 0.0168.*encode it"
    ):
        decoding.frame(place, 1 / 30, 30)


def test_frames_of_another_episode_in_the_same_file_are_not_taken(tmp_path):
    path = write_video(tmp_path / "v.mp4", [0.0, 0.1, 0.2, 0.26, 0.33, 0.43])
    first, second = VideoPlace(path, 0.0, 0.33), VideoPlace(path, 0.33)
    assert [number_of(one) for one in decoding.frames(first, [0.2, 0.3], 10)] == [2, 3]
    assert number_of(decoding.frame(first, 0.3, 10)) == 3
    assert [number_of(one) for one in decoding.frames(second, [0.0, 0.1], 10)] == [4, 5]


def rewritten(root, seconds):
    """Replace the stamps of the first episode's rows, and its video by one of 20 fps."""
    data = root / "data/chunk-000/episode_000000.parquet"
    table = pq.read_table(data)
    place = table.column_names.index("timestamp")
    column = np.asarray(seconds, np.float32)
    table = table.set_column(place, "timestamp", [column])
    pq.write_table(table, data)
    (video,) = root.rglob("episode_000000.mp4")
    even_video(video, 20, 30)
    return open_dataset(root)[0]


def test_rows_at_irregular_stamps_get_the_frames_of_their_stamps(tmp_path):
    stamps = [0.0, 0.11, 0.19, 0.33, 0.38, 0.52, 0.6, 0.7, 0.8, 0.9, 1.0, 1.31]
    one = rewritten(write_v21(tmp_path / "cubes"), stamps)
    found = [number_of(one.picture("laptop", row)) for row in range(12)]
    assert found == [0, 2, 4, 7, 8, 10, 12, 14, 16, 18, 20, 26]
    assert [number_of(picture) for picture in one.pictures("laptop", 0, 12)] == found
    np.testing.assert_allclose(one.times_ns, 1e9 + np.array(stamps) * 1e9, atol=100)


def test_stamps_that_are_even_within_float32_are_even(tmp_path):
    one = rewritten(write_v21(tmp_path / "cubes"), np.arange(12) / 10 + 5e-5)
    assert one.times_ns.tolist() == [10**9 + 10**8 * row for row in range(12)]


@pytest.mark.parametrize("wrong", [0.2, np.nan])
def test_stamps_that_do_not_rise_are_refused(tmp_path, wrong):
    stamps = np.arange(12) / 10
    stamps[5] = wrong
    one = rewritten(write_v21(tmp_path / "cubes"), stamps)
    with pytest.raises(DatasetError, match=r"timestamp of row 5 of episode 0 is .* not later"):
        _ = one.times_ns
