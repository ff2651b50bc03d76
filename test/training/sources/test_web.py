"""Web samples: lines, shards, prompts, boxes in the model's picture, and files that are broken."""

import io
import json
import tarfile

import cv2
import numpy as np
import pytest

from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.model.config import load_preset
from pi05_ros.model.text import locations
from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.encoding import Encoder
from pi05_ros.training.sources.web import WebError, WebSource

CONFIG = load_preset("smoke")
TOKENIZER = make_tokenizer(CONFIG)
ENCODER = Encoder(CONFIG, TOKENIZER, None, AugmentationRecipe())
PICTURE = cv2.imencode(".jpg", np.full((100, 200, 3), 128, np.uint8))[1].tobytes()
CAPTION = {"kind": "caption", "answer": "a plate"}
QUESTION = {"kind": "question", "question": "where?", "answer": "left"}
BOXES = {"kind": "boxes", "boxes": [{"label": "cup", "box": [0.0, 0.0, 0.5, 1.0]}]}


def folder(path, *entries, data=PICTURE):
    path.mkdir(exist_ok=True)
    (path / "1.jpg").write_bytes(data)
    lines = [json.dumps({"image": "1.jpg", **entry}) for entry in entries]
    (path / "a.jsonl").write_text("\n".join(lines) + "\n")
    return path


def shard(path, members):
    with tarfile.open(path, "w") as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def texts(source, index):
    sample = source.sample(index, np.random.default_rng(0), augment=False)
    return TOKENIZER.decode(sample.prompt), TOKENIZER.decode(list(sample.text)[:-1]), sample


def test_lines_and_shards_are_the_same_samples(tmp_path):
    lines = WebSource("WD", [str(folder(tmp_path / "d", CAPTION, QUESTION, BOXES))], ENCODER)
    content = json.dumps([CAPTION, QUESTION, BOXES]).encode()
    path = shard(tmp_path / "s.tar", [("k/1.jpg", PICTURE), ("k/1.json", content)])
    packed = WebSource("WD", [str(path)], ENCODER)
    assert len(lines) == len(packed) == 3
    for index in range(3):
        one, other = texts(lines, index), texts(packed, index)
        assert one[:2] == other[:2] and (one[2].images == other[2].images).all()
    assert texts(lines, 0)[0].endswith("caption en\n") and texts(lines, 0)[1] == "a plate"
    assert texts(lines, 1)[0].endswith("answer en where?\n")
    assert texts(lines, 2)[0].endswith("detect cup\n")


def test_boxes_are_in_the_models_picture(tmp_path):
    source = WebSource("WD", [str(folder(tmp_path / "d", BOXES))], ENCODER)
    _, text, sample = texts(source, 0)
    (box,) = locations.parse(text, ("web",)).locations
    # 200 x 100 becomes 224 x 112 in the middle: rows 56 to 168.
    assert (box.x_min, box.x_max) == pytest.approx((0.0, 0.5), abs=1e-3)
    assert (box.y_min, box.y_max) == pytest.approx((0.25, 0.75), abs=1e-3)
    assert sample.images.shape == (1, 3, 224, 224)
    assert int(sample.images[0, :, 55].max()) == 0 < int(sample.images[0, :, 57].min())


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"kind": "poem"}, "wanted 'kind'"),
        ({"kind": "caption"}, "wanted the keys answer, kind"),
        ({**CAPTION, "extra": 1}, "wanted the keys"),
        ({"kind": "caption", "answer": "two\nlines"}, "one line of text"),
        ({"kind": "boxes", "boxes": []}, "at least one box"),
        ({"kind": "boxes", "boxes": [{"label": "a", "box": [0, 0, 2, 1]}]}, "from 0 to 1"),
        ({"kind": "boxes", "boxes": [{"label": "a;b", "box": [0, 0, 1, 1]}]}, "label without"),
        ({"kind": "boxes", "boxes": [{"label": "a"}]}, 'wanted {"label"'),
    ],
)
def test_a_line_that_is_not_valid_is_refused_by_its_number(tmp_path, entry, text):
    with pytest.raises(WebError) as error:
        WebSource("WD", [str(folder(tmp_path / "d", CAPTION, entry))], ENCODER)
    assert "line 2" in str(error.value) and text in str(error.value)


@pytest.mark.parametrize("data", [b"", b"no picture", PICTURE[: len(PICTURE) // 2]])
def test_a_broken_picture_is_named(tmp_path, data):
    source = WebSource("WD", [str(folder(tmp_path / "d", CAPTION, data=data))], ENCODER)
    with pytest.raises(WebError, match="line 1: is no whole JPEG or PNG"):
        source.sample(0, np.random.default_rng(0), augment=False)


def test_files_that_are_missing(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.jsonl").write_text(json.dumps({"image": "2.jpg", **CAPTION}))
    (tmp_path / "t.tar").write_bytes(b"no tar" * 200)
    json_alone = shard(tmp_path / "j.tar", [("1.json", json.dumps(CAPTION).encode())])
    for path, text in [
        (tmp_path / "empty", "wanted .*jsonl files"),
        (tmp_path / "none", "wanted a folder"),
        (tmp_path / "x.jsonl", "there is no picture"),
        (tmp_path / "t.tar", "cannot be read as a tar shard"),
        (json_alone, "wanted a picture 1.jpg"),
    ]:
        with pytest.raises(WebError, match=text):
            WebSource("WD", [str(path)], ENCODER)
