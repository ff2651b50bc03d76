"""Cleaning, validation and comparison of text from operators and models."""

import pytest

from pi05_ros.brain.instructions import answer_problem, clean, comparison_key, text_problem


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("pick up the cup", "pick up the cup"),
        ("  pick\tup\nthe \x07 cup\u2028", "pick up the cup"),
        ("nimm die Tasse – 拿起杯子", "nimm die Tasse – 拿起杯子"),
        ("x" * 300, "x" * 256),
        ("x " * 100_000, ("x " * 128).rstrip()),
    ],
)
def test_text_becomes_one_printable_line(text, cleaned):
    assert clean(text) == cleaned


def test_the_problem_of_an_instruction_is_named():
    assert text_problem("pick up the cup") == ""
    assert text_problem("x" * 257) == "it has 257 characters, at most 256 are allowed"
    assert "one line" in text_problem("a\nb")
    assert text_problem("a\udcffb") == "it must be UTF-8"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("pick up the cup", ""),
        ("pick\x07 up the\x1b[31m cup", ""),  # What is left of it are words.
        ("拿起杯子", ""),
        ("x" * 256, ""),
        ("", "it is empty"),
        (" \n\t", "it is empty"),
        ("\x00\x01\x02", "it is control characters only"),
        ("... 42 !?", "there is no word in it"),
        ("x" * 257, "it has 257 characters, at most 256 are allowed"),
        ("pick " * 2048, "it has 10240 characters, at most 256 are allowed"),
        ("\x00" * 10_240, "it has 10240 characters, at most 256 are allowed"),
    ],
)
def test_an_answer_is_a_subtask_or_has_a_named_problem(answer, why):
    assert answer_problem(answer) == why


def test_case_and_spaces_make_no_difference():
    assert comparison_key(" Pick up\tthe  CUP ") == comparison_key("pick up the cup")
    assert comparison_key("pick up the cup") != comparison_key("pick up the cups")
