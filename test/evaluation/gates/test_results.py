"""Statistics of the gates, computed by hand."""

import math

import pytest

from pi05_ros.evaluation.gates.limits import Gate
from pi05_ros.evaluation.gates.results import Values, figure


def test_shares_are_of_all_cases_and_quantiles_are_values_that_occur():
    homes = {"a": [1.0, 1.0, 1.0], "b": [0.0]}
    assert figure(homes, "share")[0] == 0.75
    lengths = {"a": [float(k) for k in range(1, 8)], "b": [8.0, 9.0, math.inf]}
    assert figure(lengths, "median")[0] == 5.0
    assert figure(lengths, "p90")[0] == 9.0


def test_whole_homes_are_resampled():
    # Two homes: a quarter of the resamples holds one of them alone.
    assert figure({"a": [1.0] * 50, "b": [0.0] * 50}, "share") == (0.5, 0.0, 1.0)
    assert figure({"a": [2.0, 3.0, 4.0]}, "median") == (3.0, 3.0, 3.0)
    assert figure({"a": [1.0], "b": [9.0]}, "median") == (1.0, 1.0, 9.0)


def test_limits_from_either_side():
    least, most = Gate("a", "a", "share", at_least=0.9), Gate("b", "b", "median", at_most=4.3)
    assert [least.reached(v) for v in (0.9, 0.89, None)] == [True, False, None]
    assert [most.reached(v) for v in (4.3, 4.31, math.inf)] == [True, False, False]
    assert Gate("c", "c", "share").reached(1.0) is None


def test_what_was_not_measured_has_a_reason():
    values, gate = Values(), Gate("a", "a", "share", at_least=0.9)
    values.add("a", "home", 1.0)
    assert values.result(gate).value == pytest.approx(1.0)
    values.not_measured("a", "there is no light")
    result = values.result(gate)
    assert result.value is None and result.reason == "there is no light"
