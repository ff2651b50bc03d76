"""Runs take turns in rounds; Ctrl-C keeps complete rounds. No test depends on a duration."""

import gc

import pytest
import torch
from speed.timing import Laps, Watch, take_turns

LAPS = Laps(0.0, 0.0, 0.0, 1.0)


def recorder(calls: list[tuple[str, int]], name: str):
    def run(round_: int) -> Laps:
        calls.append((name, round_))
        assert not gc.isenabled()
        return Laps(0.0, 0.0, 0.0, float(round_))

    return run


def test_everybody_runs_once_a_round_in_changing_order():
    calls: list[tuple[str, int]] = []
    said: list[int] = []
    runs = {name: recorder(calls, name) for name in "abc"}
    results = take_turns(runs, 3, warm_up=1, progress=said.append)
    assert calls[:6] == [("a", -1), ("b", -1), ("c", -1), ("b", 0), ("c", 0), ("a", 0)]
    assert calls[6:] == [("c", 1), ("a", 1), ("b", 1), ("a", 2), ("b", 2), ("c", 2)]
    assert said == [0, 1, 2]
    assert {name: [laps.total for laps in taken] for name, taken in results.items()} == {
        name: [0.0, 1.0, 2.0] for name in "abc"
    }
    assert gc.isenabled()


def test_ctrl_c_keeps_the_full_rounds():
    def interrupted(round_: int) -> Laps:
        if round_ == 2:
            raise KeyboardInterrupt
        return LAPS

    results = take_turns({"a": lambda round_: LAPS, "b": interrupted}, 5)
    assert {name: len(taken) for name, taken in results.items()} == {"a": 2, "b": 2}
    assert gc.isenabled()


def test_ctrl_c_before_the_first_full_round_is_passed_on():
    def interrupted(round_: int) -> Laps:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_turns({"a": interrupted}, 5)
    assert gc.isenabled()


def test_a_watch_adds_up_what_belongs_together(monkeypatch):
    moments = iter([10.0, 11.0, 13.0, 16.0, 20.0])
    monkeypatch.setattr("speed.timing.now", lambda device: next(moments))
    watch = Watch(torch.device("cpu"))
    for part in ("pictures", "generation", "generation"):
        watch.lap(part)
    assert watch.laps() == Laps(pictures=1.0, prefix=0.0, generation=5.0, total=10.0)
