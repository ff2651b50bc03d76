"""Contents of the inspector without ROS: kinematics, markers, annotated pictures, status."""
