"""The ROS nodes: a folder each, thin (parameters, topics, timing). `executables` starts them."""
