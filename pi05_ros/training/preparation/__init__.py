"""From a recipe to sources: episodes are opened, filtered, split and measured before step 0."""
