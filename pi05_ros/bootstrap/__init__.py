"""Set-up of a machine: from a bare Python to a checkout that runs.

Standard library only, since it runs before anything is installed. `plan.make_plan` lists the
steps that a verb needs; the work of each step is in a file of its own (virtual_env, interfaces,
graphics). `pi05_ros.cli.entry` calls it.
"""
