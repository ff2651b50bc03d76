"""The paper's tables in small, made of stored results.

    ./pi05 run python benchmarks/nano_tables.py store runs/nano_full
    ./pi05 run python benchmarks/nano_tables.py modes --out docs/benchmarks/nano_modes.md

`store` reduces the evaluations of a folder of `./pi05 reproduce` to PLAN.json. A folder of
`./pi05 eval` is stored with what it does not say: --plan, --recipe, --samples and --core-hours.
The other words are the tables, made of what lies in --results (docs/benchmarks/nano by default);
each writes a page and a plot beside it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nano_results.curve import write_curve
from nano_results.pages import write_table
from nano_results.paper import TABLES
from nano_results.stored import ResultsError, load, reduce_evaluation, reduce_run, store

from pi05_ros.evaluation.reproduction.record import FILE

_FACTS = ("plan", "recipe", "samples", "core_hours")
_RESULTS = Path("docs/benchmarks/nano")


def main(arguments: Sequence[str] | None = None) -> int:
    """Store results, or write a page.

    Returns:
        0; 1 where results do not fit, 2 for a wrong command line.
    """
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.word == "store":
            print(_store(parsed))
        elif parsed.word == "curve":
            write_curve(load(parsed.results), parsed.out)
        else:
            write_table(parsed.word, load(parsed.results), parsed.out, parsed.platform)
    except (ResultsError, OSError) as error:
        print(f"nano_tables.py: {error}", file=sys.stderr)
        return 1
    return 0


def _store(parsed: argparse.Namespace) -> Path:
    facts = {name: getattr(parsed, name) for name in _FACTS}
    given = [name for name, value in facts.items() if value is not None]
    options = ", ".join(f"--{name.replace('_', '-')}" for name in _FACTS)
    if (parsed.folder / FILE).exists():
        if given or parsed.checkpoint:
            raise ResultsError(f"{parsed.folder / FILE} has the facts: leave out {options}")
        return store(reduce_run(parsed.folder), parsed.results)
    if len(given) < len(_FACTS):
        raise ResultsError(f"{parsed.folder} has no {FILE}: give all of {options}")
    return store(reduce_evaluation(parsed.folder, facts, parsed.checkpoint), parsed.results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    words = parser.add_subparsers(dest="word", required=True)
    storing = words.add_parser("store", help="reduce the results of a run", allow_abbrev=False)
    storing.add_argument("folder", type=Path, help="of ./pi05 reproduce, or of ./pi05 eval")
    storing.add_argument("--results", type=Path, default=_RESULTS, metavar="DIR")
    storing.add_argument("--plan", help="name of the run in the tables, of a folder of eval")
    storing.add_argument("--recipe", help="recipe of its weights")
    storing.add_argument("--samples", type=int, help="samples of training, all stages")
    storing.add_argument("--core-hours", type=float, help="of data and training")
    storing.add_argument("--checkpoint", help="the one of several that is stored")
    for word in (*TABLES, "curve"):
        table = words.add_parser(word, help=f"write the page {word}", allow_abbrev=False)
        table.add_argument("--results", type=Path, default=_RESULTS, metavar="DIR")
        table.add_argument("--out", type=Path, required=True, metavar="FILE.md")
        if word != "curve":
            table.add_argument("--platform", default="mobile_18dof")
    return parser


if __name__ == "__main__":
    sys.exit(main())
