"""The graph of a platform as data: options, processes, supervision, lifecycle order."""
