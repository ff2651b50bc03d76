"""Command-line options made from the table of bring-up options."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from pi05_ros.bringup.options import Option, option_table


def flag(option: Option) -> str:
    """Name of an option on the command line ("--chunk-mode")."""
    return f"--{option.name.replace('_', '-')}"


def add_bringup_options(
    parser: argparse.ArgumentParser,
    names: Iterable[str] | None = None,
    defaults: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
    default_texts: Mapping[str, str] | None = None,
) -> None:
    """Add bring-up options to a parser, with their choices, descriptions and defaults as help.

    The value of an option that is absent from the command line is None.

    Args:
        parser: Parser to extend.
        names: Options to add, in the order of the table; None: all.
        defaults: Defaults of this verb, where they differ from the table's.
        descriptions: Descriptions of this verb, likewise.
        default_texts: Help on defaults that depend on other options, likewise.
    """
    wanted = None if names is None else set(names)
    for option in option_table():
        if wanted is not None and option.name not in wanted:
            continue
        default = (defaults or {}).get(option.name, option.default)
        default = (default_texts or {}).get(option.name, default)
        text = (descriptions or {}).get(option.name, option.description)
        values = "|".join(option.choices) if option.choices else option.name.upper()
        parser.add_argument(
            flag(option),
            dest=option.name,
            metavar=values,
            nargs="?" if option.is_switch else None,
            const="true" if option.is_switch else None,
            default=(defaults or {}).get(option.name),
            help=f"{text} [default: {default or 'empty'}]".replace("%", "%%"),
        )
