"""Fault injection on the running suite: real processes, real DDS, a witness at the controllers.

`pi05 faults` and test_rows.py run the same rows; docs/faults.md describes each of them.
"""
