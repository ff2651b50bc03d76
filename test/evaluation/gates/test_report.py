"""gates.json and the table."""

import json
import math
from pathlib import Path

from fakes.gate_episodes import gate_episode

from pi05_ros.evaluation.gates.measure import Measurement
from pi05_ros.evaluation.gates.report import facts_of, table, write
from pi05_ros.evaluation.gates.results import Values


def facts():
    values = Values()
    values.add("dish_near", "10000", 1.0, 1.0)
    values.add("dish_near", "10001", 1.0, 0.0)
    values.add("hand_cm", "10000", math.inf)
    values.add("hand_moves_cm", "10000", 12.34)
    values.not_measured("subtask", "the checkpoint says no subtasks")
    measured = Measurement(values, 4, 3, 1)
    episodes = [gate_episode("10001"), gate_episode("10000")]
    return facts_of("runs/a", Path("bags"), episodes, measured, 1.23)


def test_the_file_is_strict_json(tmp_path):
    path = write(tmp_path / "new", facts())
    assert path == tmp_path / "new" / "gates.json" and list(path.parent.iterdir()) == [path]
    found = json.loads(path.read_text(), parse_constant=lambda name: 1 / 0)
    assert found["homes"] == ["10000", "10001"] and found["failed_chunks"] == 1
    rows = {row["name"]: row for row in found["gates"]}
    near = rows["dish_near"]
    assert (near["value"], near["interval"], near["reached"]) == (0.75, [0.5, 1.0], False)
    assert (near["at_least"], near["at_most"], near["cases"], near["homes"]) == (0.9, None, 4, 2)
    assert rows["hand_cm"]["value"] is None and rows["hand_cm"]["reached"] is False
    assert rows["subtask"]["reached"] is None and "no subtasks" in rows["subtask"]["reason"]


def test_the_table_says_what_was_reached():
    lines = {line.split("  ")[0]: line.split("  ", 1)[-1].split() for line in table(facts())}
    near = lines["named dish within 3 px, near, front"]
    assert near == "75.0% 50.0% to 100.0% ≥ 90.0% no 4 2".split()
    assert lines["hand after 0.5 s, median"] == "none none to none ≤ 4.3 cm no 1 1".split()
    assert (
        "12.3 cm 12.3 cm to 12.3 cm 1 1".split() == lines["recorded motion of that hand, median"]
    )
    assert " ".join(lines["subtask as recorded"]) == (
        "not measured: the checkpoint says no subtasks"
    )
