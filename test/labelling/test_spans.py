import numpy as np
import pytest

from pi05_ros.data.episodes.label_spans import LabelSpan
from pi05_ros.labelling.spans import erase, set_span

A, B = LabelSpan(10, 20, "a"), LabelSpan(20, 30, "b", "tidy", "model")


@pytest.mark.parametrize(
    ("start", "stop", "left"),
    [
        (0, 10, "a10-20 b20-30"),
        (30, 40, "a10-20 b20-30"),
        (0, 40, ""),
        (10, 20, "b20-30"),
        (12, 15, "a10-12 a15-20 b20-30"),
        (15, 25, "a10-15 b25-30"),
        (5, 12, "a12-20 b20-30"),
        (29, 40, "a10-20 b20-29"),
    ],
)
def test_erasing_cuts_splits_and_removes(start, stop, left):
    found = erase((A, B), start, stop)
    assert " ".join(f"{s.text}{s.start_ns}-{s.stop_ns}" for s in found) == left
    assert all(
        (s.task, s.source) == (("tidy", "model") if s.text == "b" else ("", "human"))
        for s in found
    )


def test_a_span_replaces_what_it_overlaps():
    new = LabelSpan(15, 25, "c")
    assert set_span((A, B), new) == (
        LabelSpan(10, 15, "a"),
        new,
        LabelSpan(25, 30, "b", "tidy", "model"),
    )
    assert set_span((), new) == (new,)
    assert set_span((B,), A) == (A, B)


def test_random_edits_equal_those_on_an_array():
    random = np.random.default_rng(0)
    for _ in range(200):
        spans, drawn = (), np.full(40, "", "U1")
        for text in random.choice(list("abcd."), 8):
            start, stop = sorted(random.choice(41, 2, replace=False).tolist())
            drawn[start:stop] = "" if text == "." else text
            if text == ".":
                spans = erase(spans, start, stop)
            else:
                spans = set_span(spans, LabelSpan(start, stop, str(text)))
        found = np.full(40, "", "U1")
        for span in spans:
            assert not found[span.start_ns : span.stop_ns].any()
            found[span.start_ns : span.stop_ns] = span.text
        assert (found == drawn).all()
        assert list(spans) == sorted(spans, key=lambda s: s.start_ns)
