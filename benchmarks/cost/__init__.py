"""Parts of `graph_cost.py`: what the running graph costs, beside bare rclpy nodes."""
