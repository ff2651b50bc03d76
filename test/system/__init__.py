"""Faults put upon the running suite: real processes, real DDS, and a witness at the controllers.

`pi05 faults` and test_rows.py run the same rows; docs/faults.md says what each of them does.
"""
