"""What every folder may use: strict YAML, paths of resources, lines, the Fast DDS profile."""
