"""The rows of each table, and the paper's figure beside each.

The figures are those of π0.5 (arXiv 2504.16054, sections 4.2 to 4.6), which shows most of them as
bars without numbers: what is stated is given in its words, the rest is "not stated".
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_STATED = "not stated"


@dataclass(frozen=True)
class Row:
    """One variant: the trials of a mode of one plan."""

    label: str
    plan: str  # Name of the stored results.
    mode: str = "full"
    paper: str = NOT_STATED  # Its figure for the tasks.
    homes: int = 0  # Of the mobile manipulator's data, in the table of homes.
    brain: str = "model"  # Or "random": weights drawn at random.


@dataclass(frozen=True)
class Table:
    """A comparison. Its first row is what the others are compared with."""

    title: str
    section: str  # Of the paper.
    rows: tuple[Row, ...]
    note: str = ""  # What must be known to read it.


FULL = "nano_full"
_STATED_BEST = "highest"
_MODES = Table(
    "What names the subtasks",
    "4.6",
    (
        Row("full", FULL, "full", "about 80 %, highest"),
        Row("implicit HL", FULL, "implicit", "about 70 %, second"),
        Row("no HL", "nano_no_hl", "no_hl", "about 55 %"),
        Row("human HL", FULL, "human", "a little below full"),
        Row("external HL", FULL, "external", "about 40 %, lowest (GPT-4)"),
        Row("weights drawn at random", FULL, brain="random"),
    ),
    "Human is the scripted oracle that knows the home. External is a stand-in, `fixed_list`: a "
    "fixed list of what such tasks are about, without a look at the room; the paper has GPT-4.",
)
_BASELINES = Table(
    "Baselines",
    "4.5",
    (
        Row("π0.5", FULL, "full", "significantly above both, in all four tasks"),
        Row("π0-FAST+Flow", "nano_pi0_fast_flow", "no_hl", "significantly below π0.5"),
        Row("π0", "nano_pi0", "no_hl", "significantly below π0.5, with 300k steps too"),
    ),
    "The baselines have the task as prompt. They are trained without boxes, and so without heat "
    "maps. π0 has one stage, with the samples of all three.",
)
_ABLATIONS = Table(
    "Sources of data",
    "4.4 and 4.6",
    (
        Row("all sources", FULL, "full", _STATED_BEST),
        Row("no WD", "nano_no_wd", paper="no significant difference (4.6: significantly lower)"),
        Row("no CE", "nano_no_ce", "full", "significantly lower, p < 0.001"),
        Row("no ME", "nano_no_me", "full", "significantly lower, p < 0.001"),
        Row("no CE or ME", "nano_no_ce_me", "full", "far lower, p < 0.001"),
        Row("no VI", "nano_no_vi", "full", "significantly lower"),
    ),
    "Each source's samples go to the others, by their weights.",
)
_HOMES = Table(
    "Homes of the training data",
    "4.3",
    (
        Row("104 homes", "nano_homes_104", "full", "near a model trained in the test homes", 104),
        Row("53 homes", "nano_homes_53", "full", NOT_STATED, 53),
        Row("22 homes", "nano_homes_22", "full", NOT_STATED, 22),
        Row("12 homes", "nano_homes_12", "full", NOT_STATED, 12),
        Row("3 homes", "nano_homes_3", "full", "lowest: it rises steadily with the homes", 3),
    ),
    "Homes of the mobile manipulator's episodes. There are equally many samples for all, and "
    "nearly as many episodes (104 to 110 of each kind). Scenes and other robots' data are the "
    "same.",
)
_LANGUAGE = Table(
    "Language following",
    "4.3 and 4.4",
    (
        Row("all sources", FULL, "full", _STATED_BEST),
        Row("no WD", "nano_no_wd", "full", "seen: slightly lower; held out: significantly lower"),
        Row("no CE", "nano_no_ce", "full", "significantly lower, both"),
        Row("no ME", "nano_no_me", "full", "significantly lower, both"),
        Row("no CE or ME", "nano_no_ce_me", "full", "far lower, both"),
        Row("π0-FAST+Flow", "nano_pi0_fast_flow", "no_hl"),
        Row("π0", "nano_pi0", "no_hl"),
        *(
            Row(f"{n} homes", f"nano_homes_{n}", "full", "held out: rises with the homes", n)
            for n in (3, 12, 22, 53, 104)
        ),
    ),
    "“First” is the share of the trials in which the first thing that was picked up is the named "
    "one; points count that, and that it rests in the sink alone. The plot of homes is in their "
    "own table.",
)
TABLES = {
    "modes": _MODES,
    "baselines": _BASELINES,
    "ablations": _ABLATIONS,
    "homes": _HOMES,
    "language": _LANGUAGE,
}
