"""The nodes of an executable, made as its `main` makes them, without being spun."""

import contextlib
import gc
import importlib
from unittest import mock

import rclpy

from fakes.domains import ros_domain
from pi05_ros.nodes import executables


@contextlib.contextmanager
def nodes_of(executable, ros_arguments):
    """The nodes that `executable` makes with these arguments ("--ros-args", …)."""
    module = importlib.import_module(executables.module_name(executable))
    makers = []
    with mock.patch.object(module, "run_node", lambda create, *_: makers.append(create) or 0):
        module.main()
    domain = contextlib.ExitStack()
    rclpy.init(args=list(ros_arguments), domain_id=domain.enter_context(ros_domain()))
    context = rclpy.get_default_context()
    made = []
    try:
        result = makers[0]()
        made = result if isinstance(result, list) else [result]
        yield made
    finally:
        for node in made:
            if hasattr(node, "close"):
                node.close()
            node.destroy_node()
        rclpy.shutdown()
        # Else the threads of each DDS participant stay until the process ends.
        context.destroy()
        gc.collect()
        domain.close()
