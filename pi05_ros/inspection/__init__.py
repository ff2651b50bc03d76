"""What the inspector shows, without ROS: kinematics, markers, annotated pictures, status."""
