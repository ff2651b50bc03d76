"""What makes a machine ready for the suite.

Standard library only: it runs before anything is there. `entry.main` is what `./pi05` calls,
`plan.make_plan` lists the steps that a checkout needs, and each step's work is in a file of its
own (virtual_env, interfaces, graphics).
"""
