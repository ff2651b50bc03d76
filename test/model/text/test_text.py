"""Tokenizer, prompts and the high level's answers."""

import random
from typing import get_args

import numpy as np
import pytest

from pi05_ros.model.config import Variant
from pi05_ros.model.text import locations, prompts
from pi05_ros.model.text.locations import Answer, Location
from pi05_ros.model.text.prompts import PromptError
from pi05_ros.model.text.tokenizer import BEGIN, ByteTokenizer, prompt_tokens

TOKENIZER = ByteTokenizer()
CAMERAS = ("front", "back", "left_wrist", "right_wrist")


# ---- tokenizer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pick up the plate",
        "Task: put the dishes in the sink, State: 128 -1 255;\nAction: ",
        "Teller in die Spüle, 把盘子放进水槽, 🍽",
        "<loc0000><loc1023> plate ; <seg127>",
        "<loc1024><loc12><seg128>",  # No such tokens: encoded as text.
        "tab\tline\r\nzero\0",
    ],
)
def test_every_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_ids_follow_paligemmas_conventions():
    size = TOKENIZER.size
    assert TOKENIZER.encode("<loc0000><loc1023>") == [
        TOKENIZER.first_location,
        TOKENIZER.first_location + 1023,
    ]
    assert TOKENIZER.encode("<seg000><seg127>") == [size - 128, size - 1]
    # Public weights: id = size − 1 − 128 − token; here it meets no location.
    assert TOKENIZER.action_token(0) == size - 1 - 128
    assert TOKENIZER.action_token(1023) == TOKENIZER.first_location + 1024
    with pytest.raises(ValueError, match="FAST token 1024 is not from 0 to 1023"):
        TOKENIZER.action_token(1024)
    assert TOKENIZER.action_index(size - 1 - 128) == 0
    assert TOKENIZER.action_index(TOKENIZER.first_location + 1024) == 1023
    assert TOKENIZER.action_index(TOKENIZER.first_location + 1023) is None
    assert TOKENIZER.action_index(TOKENIZER.first_segment) is None
    assert TOKENIZER.decode([0, 1, 2, 3, TOKENIZER.action_token(5), -7, size, 10**9]) == ""


def test_words_and_state_bins_are_one_token_each():
    assert len(TOKENIZER.encode(" plate")) == 1
    assert len(TOKENIZER.encode("pick up the plate")) == 2
    assert len(TOKENIZER.encode(" 128 -1 255 7")) == 4
    prompt = prompts.low_level("pick up the plate", np.zeros(19))
    assert len(prompt_tokens(TOKENIZER, prompt)) < 32
    assert prompt_tokens(TOKENIZER, prompt)[0] == BEGIN


def test_pieces_must_fit_and_differ():
    with pytest.raises(ValueError, match="stands twice"):
        ByteTokenizer(pieces=("a", "a"))
    with pytest.raises(ValueError, match="do not fit"):
        ByteTokenizer(size=2500)


# ---- prompts


def test_state_bins_at_their_edges():
    width = 2.0 / 256
    state = np.array([-1.0, -1.0 + width, np.nextafter(-1.0 + width, -2), 0.0, 1.0 - width, 1.0])
    assert prompts.state_bins(state) == [0, 1, 0, 128, 255, 255]
    # Above 1 the last bin; below -1 the public code's -1.
    assert prompts.state_bins(np.array([7.0, np.nextafter(-1.0, -2), -7.0])) == [255, -1, -1]
    middles = -1.0 + width * (np.arange(256) + 0.5)
    assert prompts.state_bins(middles) == list(range(256))


def test_state_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        prompts.state_bins(np.array([0.0, np.nan]))


def test_prompts_word_for_word():
    state = np.array([0.0, -0.4, 1.0])
    text = " Pick_up\nthe plate "
    assert (
        prompts.low_level(text, state)
        == prompts.low_level(text, state, "pi05")
        == "Task: Pick up the plate, State: 128 76 255;\nAction: "
    )
    assert prompts.low_level(text, state, "pi0") == "Pick up the plate\n"
    # openpi's FASTTokenizer lowers the text and leaves newlines within it.
    assert (
        prompts.low_level(text, state, "pi0_fast")
        == "Task: pick up\nthe plate, State: 128 76 255;\n"
    )
    assert (
        prompts.high_level("put the dishes in the sink", state)
        == "Task: put the dishes in the sink, State: 128 76 255;\nSubtask: "
    )
    past = [
        prompts.past_subtask("pick_up the\nplate", "finished", 12.4),
        prompts.past_subtask("put it down", "stalled", 20.0),
    ]
    assert prompts.high_level("tidy up", state, past) == (
        "Task: tidy up, Past: pick up the plate finished 12; put it down stalled 20, "
        "State: 128 76 255;\nSubtask: "
    )


def test_every_variant_has_its_prompt():
    assert set(prompts.LOW_LEVEL) == set(get_args(Variant))


def test_a_batch_of_prompts():
    texts = ["ab", "", "abc\n"]
    ids, mask = prompts.prompt_batch(TOKENIZER, texts, 5)
    assert (ids.dtype, mask.dtype) == (np.int64, bool)
    a, b, c, newline = (TOKENIZER.encode(character)[0] for character in "abc\n")
    assert ids.tolist() == [[2, a, b, 0, 0], [2, 0, 0, 0, 0], [2, a, b, c, newline]]
    assert mask.sum(axis=1).tolist() == [3, 1, 5]
    assert (ids[~mask] == 0).all()
    with pytest.raises(PromptError, match="at most 4 tokens, found 5; .* begins with 'abc"):
        prompts.prompt_batch(TOKENIZER, texts, 4)


# ---- answers


def test_an_answer_as_text():
    answer = Answer(
        "pick up the plate",
        (
            Location("front", "plate", 0.1, 0.5, 0.4, 0.75),
            Location("back", "cup", 0.0, 0.25, 0.125, 1.0),
        ),
    )
    text = locations.write(answer, CAMERAS)
    assert text == (
        "<loc0512><loc0102><loc0767><loc0409> plate ; "
        "<loc0256><loc0000><loc1023><loc0128> back: cup\npick up the plate"
    )
    again = locations.parse(TOKENIZER.decode(TOKENIZER.encode(text)), CAMERAS)
    assert again.subtask == answer.subtask
    for ours, theirs in zip(again.locations, answer.locations, strict=True):
        assert (ours.camera, ours.label) == (theirs.camera, theirs.label)
        corners = (ours.x_min, ours.y_min, ours.x_max, ours.y_max)
        want = (theirs.x_min, theirs.y_min, theirs.x_max, theirs.y_max)
        assert corners == pytest.approx(want, abs=0.5 / 1023)
    assert locations.write(again, CAMERAS) == text


def test_a_box_that_cannot_be_formatted():
    box = Location("front", "plate", 0.1, 0.5, 1.1, 0.75)
    with pytest.raises(ValueError, match="box of 'plate' leaves its picture"):
        locations.write(Answer("", (box,)), CAMERAS)
    with pytest.raises(ValueError, match="no camera 'front' "):
        locations.write(Answer("", (box,)), CAMERAS[1:])


@pytest.mark.parametrize(
    ("text", "subtask", "labels"),
    [
        ("", "", []),
        ("pick up the plate", "pick up the plate", []),
        ("pick up\nthe plate", "pick up the plate", []),
        ("<loc0001><loc0002><loc0003><loc0004> cup", "", ["cup"]),  # Cut before the subtask.
        ("<loc0001><loc0002><loc0003> cup\ngo", "go", []),  # A corner is missing.
        ("<loc0003><loc0002><loc0001><loc0004> cup\ngo", "go", []),  # y_min > y_max.
        ("<loc0001><loc0002><loc1024><loc1500> cup\ngo", "go", []),  # No such bin.
        ("<loc0001><loc0002><loc0003><loc0004>\ngo", "go", [""]),
        ("<loc0001><loc0002><loc0003><loc0004> left: cup\ngo", "go", ["left: cup"]),
        ("<seg001>\x07x\n a\x00 \ufffdb\t<loc0001>c ", "a b c", []),
    ],
)
def test_broken_answers(text, subtask, labels):
    answer = locations.parse(text, CAMERAS)
    assert answer.subtask == subtask
    assert [location.label for location in answer.locations] == labels
    assert not answer.done


def test_long_answers_are_not_cut_but_refused():
    assert locations.parse("x" * 500, CAMERAS).subtask == "x" * 500
    assert locations.subtask_problem("x" * 96) == ""
    assert locations.subtask_problem("x" * 97) == "it has 97 bytes, at most 96 are allowed"
    assert locations.subtask_problem("盘" * 33) == "it has 99 bytes, at most 96 are allowed"
    assert locations.subtask_problem("\ud800" * 96) == ""  # Never decoded, and no error.
    long_label = "<loc0001><loc0002><loc0003><loc0004> " + "y" * 100
    assert locations.parse(long_label, CAMERAS).locations[0].label == "y" * 64


def test_done():
    assert locations.parse("Done ", CAMERAS).done
    assert not locations.parse("wash the done dishes", CAMERAS).done


def test_no_token_sequence_breaks_the_parser():
    draw = random.Random(0)
    location, semicolon = TOKENIZER.first_location, TOKENIZER.encode(";")[0]
    newline, words = TOKENIZER.encode("\n")[0], 260
    boxes = 0
    for _ in range(10_000):
        kinds = draw.choices(
            [
                lambda: draw.randrange(-5, TOKENIZER.size + 5),
                lambda: location + draw.randrange(1024),
            ]
            + [lambda: draw.randrange(words, words + 400), lambda: semicolon, lambda: newline],
            weights=[3, 6, 2, 1, 1],
            k=draw.randrange(40),
        )
        text = TOKENIZER.decode([kind() for kind in kinds])
        answer = locations.parse(text, CAMERAS)
        boxes += len(answer.locations)
        assert answer.subtask.isprintable()
        for box in answer.locations:
            assert box.camera in CAMERAS
            assert 0 <= box.x_min <= box.x_max <= 1
            assert 0 <= box.y_min <= box.y_max <= 1
            assert len(box.label) <= 64
            assert box.label.isprintable()
        # The low level accepts any subtask of the high level.
        prompt = prompts.low_level(answer.subtask, np.zeros(19))
        assert len(prompt_tokens(TOKENIZER, prompt)) <= 200
    assert boxes > 1000
