"""The recorder's logic without ROS: choice of topics, queue, session and bag."""
