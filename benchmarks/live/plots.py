"""What the plots of these benchmarks share."""

from __future__ import annotations

from typing import Any

import numpy as np


def pyplot() -> Any:
    """Matplotlib without a screen; imported late, since timing needs none."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plot

    plot.rcParams.update({"axes.grid": True, "grid.alpha": 0.3, "font.size": 9})
    return plot


def shares_above(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of the values lie above each: (values in order, share [%])."""
    ordered = np.sort(values)
    return ordered, 100.0 * (1.0 - np.arange(len(ordered)) / max(1, len(ordered)))
