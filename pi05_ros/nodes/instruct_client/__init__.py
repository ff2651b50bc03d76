"""Client of the service `instruct`, for operators at a terminal."""
