"""What several verbs share: the table of verbs, choice of bags, terminal output, ROS domain."""
