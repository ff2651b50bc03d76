"""The operator's web page: server, sessions, control. No ROS.

`pi05_ros.nodes.console` connects it with the graph; docs/design/console.md lists permissions.
"""
