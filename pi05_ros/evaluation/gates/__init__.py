"""Gates: what a checkpoint sees and does at recorded moments of homes that are new to it."""
