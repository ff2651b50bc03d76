"""Options of `pi05 eval`, and what they mean for the library."""
