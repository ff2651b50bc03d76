"""Pictures of cameras, live and recorded: decoded, judged, matched and fitted for the model."""
