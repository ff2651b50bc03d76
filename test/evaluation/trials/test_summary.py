"""Figures of a summary, from results made by hand."""

from fakes.trials import result, settings

from pi05_ros.evaluation.trials.settings import Shard, Weights
from pi05_ros.evaluation.trials.summary import summarize

OF = settings((1, 2), brain="random", weights=(Weights("w"),), modes=("full", "implicit"))


def made():
    """Two homes: full has 2 and 1 of 2 points, implicit 1 and 0."""
    (a, b), (c, d) = OF.trials()[:2], OF.trials()[2:]
    return [
        result(OF, a, 1.0, 1.0, ended="full score", seconds=10.0),
        result(OF, b, 1.0, 0.0),
        result(OF, c, 1.0, 0.0),
        result(OF, d, 0.0, 0.0, ended="fault", fault="faulted: 0.3 rad away"),
    ]


def test_the_rows_of_modes():
    full, implicit = summarize(OF, made())["results"]
    assert (full["task"], full["mode"], full["checkpoint"]) == ("dishes", "full", "w")
    assert (full["brain"], full["platform"]) == ("random", "mobile_18dof")
    assert (full["points_share"], full["interval"]) == (0.75, [0.5, 1.0])
    assert (full["points"], full["max_points"], full["episodes"]) == (3.0, 4.0, 2)
    assert (full["seconds"], full["full_scores"], full["faults"]) == (15.0, 1, 0)
    assert full["holds"] == 2
    assert full["holds_by_reason"] == {"HOLDING: the joint is … rad away": 2}
    assert full["failures"] == {"no network": 4}
    assert full["per_subtask"] == [
        {"subtask": "pick up …", "success": 1.0, "count": 2},
        {"subtask": "place … in the sink", "success": 0.5, "count": 2},
    ]
    assert (implicit["points_share"], implicit["interval"]) == (0.25, [0.0, 0.5])
    assert implicit["ended"] == {"fault": 1, "time": 1} and implicit["faults"] == 1


def test_differences_are_paired_by_home():
    (pair,) = summarize(OF, made())["paired"]
    assert pair["a"] == {"mode": "full", "checkpoint": "w"}
    assert pair["b"] == {"mode": "implicit", "checkpoint": "w"}
    # Half of the points more in each home, though the shares of each mode vary by that much.
    assert (pair["difference"], pair["interval"], pair["homes"]) == (0.5, [0.5, 0.5], 2)


def test_the_mean_of_all_tasks_and_the_trials():
    summary = summarize(OF, made(), Shard(1, 2))
    assert [row["points_share"] for row in summary["overall"]] == [0.75, 0.25]
    assert summary["shard"] == "1/2" and summary["software"] == ["pi05_ros test"]
    first = summary["episodes"][0]
    assert (first["home"], first["points"], first["points_share"]) == (1, 2.0, 1.0)
    assert first["criteria"][0]["kind"] == "pick up …"
    assert first["holds"][0]["reason"] == "the joint is 0.21 rad away"
    assert "wall_seconds" not in first
