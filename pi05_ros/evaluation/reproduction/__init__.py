"""Plans of steps that make a checkpoint: their sizes, their runs, and what came of them."""
