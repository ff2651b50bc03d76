"""From a driver's message to the model's input without ROS, byte for byte as the live path."""
