import json
import math

from fakes.console_pages import TurnedClock

from pi05_ros.console.page_state import PageState, RateMeter, Timeline


def test_only_what_changed_is_told_again():
    state = PageState()
    state.put("a", {"x": 1})
    state.put("b", [1, 2])
    known, changed = state.since(0)
    assert changed == {"a": '{"x":1}', "b": "[1,2]"}
    assert state.since(known) == (known, {})
    state.put("b", [1, 2])
    assert state.since(known) == (known, {})
    state.put("b", [3])
    assert state.since(known)[1] == {"b": "[3]"}
    assert set(state.since(0)[1]) == {"a", "b"}


def test_numbers_that_json_lacks_become_null():
    state = PageState()
    state.put("a", {"x": [math.nan, math.inf, 1.5]})
    assert json.loads(state.since(0)[1]["a"]) == {"x": [None, None, 1.5]}


def test_markup_stays_text():
    state = PageState()
    text = "</script><img src=x onerror=alert(1)>"
    state.put("a", text)
    assert json.loads(state.since(0)[1]["a"]) == text


def subtask(number, text="pick up the plate", source="model", score=0.5):
    return {"id": number, "text": text, "source": source, "task": "t", "score": score}


def test_a_subtask_said_again_is_the_same_bar():
    timeline = Timeline()
    timeline.add(subtask(1), 10.0)
    timeline.add(subtask(1, score=0.9), 11.0)
    timeline.add(subtask(2, "put it down", "human"), 12.0)
    assert [(e["text"], e["source"], e["from"], e["score"]) for e in timeline.entries()] == [
        ("pick up the plate", "model", 10.0, 0.9),
        ("put it down", "human", 12.0, 0.5),
    ]


def test_the_timeline_is_bounded_and_begins_anew_with_the_clock():
    timeline = Timeline(most=3)
    for number in range(5):
        timeline.add(subtask(number), float(number))
    assert [e["id"] for e in timeline.entries()] == [2, 3, 4]
    timeline.add(subtask(9), 0.5)
    assert [e["id"] for e in timeline.entries()] == [9]


def test_rates_are_of_the_last_seconds():
    clock = TurnedClock()
    rates = RateMeter(clock)
    for _ in range(60):
        clock.now += 0.1
        rates.count("front")
    assert abs(rates.rates()["front"] - 10.0) < 0.4
    clock.now += 10
    assert rates.rates() == {"front": 0.0}
    rates.clear()
    assert rates.rates() == {}
