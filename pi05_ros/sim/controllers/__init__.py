"""ros2_control controllers of a robot, reimplemented without ROS with the same behaviour."""
