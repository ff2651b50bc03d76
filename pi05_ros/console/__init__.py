"""The operator's web page: server, sessions, who holds control. No ROS.

`pi05_ros.nodes.console` connects it with the graph; docs/design/console.md says who may do what.
"""
