"""Episodes on disk: rosbag2 bags (MCAP) written, mended and read. No ROS is needed."""
