"""Statistics of a robot's vectors: streamed, mergeable, and judged before they train anything."""
