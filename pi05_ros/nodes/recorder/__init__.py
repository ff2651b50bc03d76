"""The recorder node: one bag an episode."""
