"""What can be wrong with a recorded episode. What is looked for: docs/design/bag_checks.md."""
