"""Episodes on disk: rosbag2 bags (MCAP), written, repaired and read without ROS."""
