"""The closed loop without ROS: a brain acts in a mock home and is scored. Run records of demos."""
