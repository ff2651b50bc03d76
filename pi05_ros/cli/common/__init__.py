"""Shared by the verbs: errors and exit status, options, choice of bags, terminal output."""
