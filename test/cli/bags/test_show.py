"""`./pi05 bags show`: an episode as a picture."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.drawn_episodes import drawn
from fakes.episode_bags import FACTS, PLATFORM, alter, make_episode_bag
from PIL import Image

from pi05_ros.cli.common.choose import bag_of, bags_below
from pi05_ros.cli.main import main as pi05
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import ConfigError
from pi05_ros.evaluation.report.sheet import SOURCE_COLOURS, draw_sheet


@pytest.fixture(scope="module")
def bags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags")
    make_episode_bag(folder)
    make_episode_bag(folder, id="20260102T030406Z_second", outcome="failure")
    return folder


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_it_shows_every_camera_what_was_done_and_who_said_so(bags):
    (episode,) = open_episodes(bags / FACTS.id)
    figure = draw_sheet(episode, moments=3)
    sheet, labels, modes, *panels = (axes for part in figure.subfigs for axes in part.axes)
    assert len(sheet.images) == 3 * len(PLATFORM.cameras)
    assert [t.get_text() for t in sheet.get_xticklabels()] == ["1.0 s", "2.0 s", "3.0 s"]
    assert [t.get_text() for t in sheet.get_yticklabels()] == list(PLATFORM.camera_names)
    boxed = [(image.get_array() == (255, 221, 0)).all(axis=-1).any() for image in sheet.images]
    assert boxed == [True] * 3 + [False] * (len(boxed) - 3)  # In the front camera only.
    assert texts(labels) == ["pick up the cup", "pick up the fork"]
    assert [bar.get_facecolor() for bar in labels.patches] == [
        pytest.approx(to_rgba(SOURCE_COLOURS[source])) for source in ("model", "human")
    ]
    assert [t.get_text() for t in modes.get_legend().get_texts()] == ["running"]
    titles = [panel.get_ylabel().split()[0] for panel in panels]
    assert titles == ["arms", "torso", "grippers", "base"]
    measured = panels[0].lines[1]
    assert np.array_equal(measured.get_ydata(), episode.states[:, 0])


def to_rgba(colour):
    return (*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)), 1.0)


def test_numbers_are_those_of_the_list(bags, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert pi05(["bags", "show", "2", "--folder", str(bags), "--moments", "2"]) == 0
    assert capsys.readouterr().out == "20260102T030406Z_second.png\n"
    with Image.open(tmp_path / "20260102T030406Z_second.png") as picture:
        assert picture.width > 1000 and picture.height > 500
    assert bag_of("1", bags) == bags / FACTS.id
    assert bag_of(FACTS.id, bags) == bags / FACTS.id
    numbers = r"bag '3': neither a path nor a bag in .* \(numbers 1 to 2\)"
    with pytest.raises(ConfigError, match=numbers):
        bag_of("3", bags)
    assert bags_below(bags) == [bags / FACTS.id, bags / "20260102T030406Z_second"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["9"], "neither a path nor a bag"),
        (["1", "--moments", "0"], "wanted 1 to 40"),
        (["1", "2", "--out", "x.png"], "--out takes one episode, not 2"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(bags, capsys, arguments, why):
    assert pi05(["bags", "show", *arguments, "--folder", str(bags)]) == 2
    assert why in capsys.readouterr().err


def test_the_title_is_above_the_times_of_few_pictures(tmp_path):
    make_episode_bag(tmp_path)
    (episode,) = open_episodes(tmp_path)
    figure = draw_sheet(episode, moments=12)  # Small pictures.
    figure.canvas.draw()
    top = figure.subfigs[0]
    title = top._suptitle.get_window_extent()
    times = [label.get_window_extent() for label in top.axes[0].get_xticklabels()]
    assert title.y0 > max(box.y1 for box in times)
    assert title.y1 <= figure.bbox.y1


def test_a_picture_that_cannot_be_decoded_hides_no_other(tmp_path):
    def nonsense(number, m):
        m.message.encoding = "nonsense"

    front = PLATFORM.camera("front").topic
    make_episode_bag(tmp_path, fault=alter(front, nonsense))
    (episode,) = open_episodes(tmp_path)
    sheet = draw_sheet(episode, moments=3).subfigs[0].axes[0]
    assert len(sheet.images) == 3 * (len(PLATFORM.cameras) - 1)
    assert texts(sheet) == ["cannot be decoded"] * 3


def test_an_id_from_elsewhere_names_a_file_and_no_path(tmp_path, monkeypatch, capsys):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    export([drawn("../[/out] of\n" + "x" * 200, rows=30)], tmp_path / "set", ExportSettings())
    assert pi05(["bags", "show", str(tmp_path / "set"), "--moments", "1"]) == 0
    (name,) = capsys.readouterr().out.splitlines()
    assert name == ".._" + "__out__of_" + "x" * 47 + ".png"
    assert [path.name for path in (tmp_path / "here").iterdir()] == [name]


@pytest.mark.parametrize("name", ["sheet", "sheet.xyz", "."])
def test_a_file_of_no_picture_is_refused_before_anything_is_drawn(bags, tmp_path, capsys, name):
    out = tmp_path / name
    assert pi05(["bags", "show", "1", "--folder", str(bags), "--out", str(out)]) == 2
    assert f"--out: wanted a file .png or .pdf, found {out}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_digit_that_is_no_number_is_no_bag(bags):
    with pytest.raises(ConfigError, match=r"bag '²': neither a path nor a bag .* 1 to 2"):
        bag_of("²", bags)
