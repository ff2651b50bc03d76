"""Camera pictures, live and recorded: decoding, health checks, matching, letterboxing."""
