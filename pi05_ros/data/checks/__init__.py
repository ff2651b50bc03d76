"""Checks of a recorded episode; docs/design/bag_checks.md lists them."""
