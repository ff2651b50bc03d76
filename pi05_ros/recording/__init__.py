"""Recording episodes: which topics, through which queue, into which bag. No ROS in here."""
