"""Bytes from a pipe into lines."""

import random

from pi05_ros.foundation.lines import LineSplitter


def test_a_line_comes_when_it_is_whole():
    lines = LineSplitter()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\n") == ["two"]
    assert lines.flush() == []


def test_half_a_line_comes_at_the_end():
    lines = LineSplitter()
    assert lines.feed(b"half") == []
    assert lines.flush() == ["half"]
    assert lines.flush() == []


def test_a_progress_bar_gives_its_states():
    lines = LineSplitter()
    assert lines.feed(b"10 %\r20 %\r") == ["10 %"]
    assert lines.feed(b"30 %\n") == ["20 %", "30 %"]


def test_crlf_is_one_end_even_when_it_is_torn():
    lines = LineSplitter()
    assert lines.feed(b"one\r") == []
    assert lines.feed(b"\ntwo\r\n") == ["one", "two"]


def test_bytes_that_are_no_text_do_not_stop_it():
    assert LineSplitter().feed(b"\xff\xfe ok\n") == ["\ufffd\ufffd ok"]


def test_a_line_without_end_is_cut():
    lines = LineSplitter(max_bytes=10)
    assert lines.feed(b"x" * 25) == ["x" * 10, "x" * 10]
    assert lines.flush() == ["x" * 5]


def test_any_cutting_of_the_stream_gives_the_same_lines():
    text = "".join(f"line {i} äöü\n" for i in range(200)).encode()
    draw = random.Random(0)
    lines, found, rest = LineSplitter(), [], text
    while rest:
        size = draw.randint(1, 40)
        found += lines.feed(rest[:size])
        rest = rest[size:]
    assert found == [f"line {i} äöü" for i in range(200)]
