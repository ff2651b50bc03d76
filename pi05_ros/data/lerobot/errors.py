"""What is wrong with a LeRobot dataset, or with what should go into one."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.errors import Pi05Error


class DatasetError(Pi05Error):
    """A LeRobot dataset cannot be read or written as asked.

    Args:
        where: The dataset, or the file of it that is wrong.
        problem: What was wanted, what came, what to do, as one clause.
    """

    def __init__(self, where: Path | str, problem: str) -> None:
        self.where = Path(where)
        self.problem = problem
        super().__init__(f"{where}: {problem}")

    def __reduce__(self) -> tuple[type, tuple[Path, str]]:
        return type(self), (self.where, self.problem)  # Workers send it to their parent.
