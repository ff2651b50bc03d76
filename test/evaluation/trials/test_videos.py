"""Choice of the trials that are shown."""

from fakes.trials import result, settings

from pi05_ros.evaluation.trials.videos import best_and_worst


def test_the_best_and_the_worst_of_each_mode():
    of = settings((1, 2, 3), brain="random", modes=("full", "implicit"))
    a, b, c, d, e, f = of.trials()
    results = [
        result(of, a, 1.0, 1.0, seconds=30.0),
        result(of, b, 1.0, 1.0, seconds=20.0),  # As good, and sooner.
        result(of, c, 0.0, 0.0),
        result(of, d, 1.0, 0.0, seconds=20.0),
        result(of, e, 1.0, 0.0, seconds=25.0),
        result(of, f, 1.0, 0.0, seconds=20.0),
    ]
    assert best_and_worst(results) == [
        (of.name_of(b), "best"),
        (of.name_of(c), "worst"),
        (of.name_of(d), "best"),
        (of.name_of(e), "worst"),
    ]


def test_a_single_trial_is_shown_once():
    of = settings((1,))
    (only,) = of.trials()
    assert best_and_worst([result(of, only)]) == [(of.name_of(only), "best")]
