"""No node of ours takes the name of something that rclpy keeps in it."""

import ast
import importlib
import inspect
import pkgutil
import textwrap

import pytest

pytest.importorskip("rclpy")

from fakes.graph import Graph
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node

import pi05_ros.nodes


def node_classes():
    """All classes below rclpy's Node in pi05_ros.nodes."""
    found = set()
    for module in pkgutil.walk_packages(pi05_ros.nodes.__path__, "pi05_ros.nodes."):
        if module.name.endswith("__main__"):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, Node) and kind.__module__.startswith("pi05_ros."):
                found.add(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


def assigned(kind):
    """Names of attributes of `self` that the class's own code assigns."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


@pytest.fixture(scope="module")
def kept():
    """Attributes that rclpy keeps in a lifecycle node: its services, timers and so on."""
    graph = Graph()
    node = LifecycleNode("plain", context=graph.context)
    names = set(vars(node))
    node.destroy_node()
    graph.close()
    return names


def test_these_are_the_nodes(kept):
    names = {kind.__name__ for kind in node_classes()}
    assert {"Planner", "Policy", "ControlBridge", "Recorder", "LifecycleManager"} <= names
    assert {"_services", "_clients", "_timers", "_publishers", "_subscriptions"} <= kept


@pytest.mark.parametrize("kind", node_classes(), ids=lambda kind: kind.__name__)
def test_a_node_leaves_what_rclpy_keeps_alone(kind, kept):
    assert assigned(kind) & kept == set()
