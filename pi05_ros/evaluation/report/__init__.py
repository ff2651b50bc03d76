"""Report of an episode: one self-contained HTML page, a video, a sheet."""
