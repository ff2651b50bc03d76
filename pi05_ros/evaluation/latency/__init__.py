"""Where the time of a chunk goes, from light on a sensor to the first command that follows it."""
