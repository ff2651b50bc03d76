"""A control_bridge node, a loopback robot and a test node on real topics."""

import numpy as np
from rclpy.lifecycle import TransitionCallbackReturn
from std_srvs.srv import SetBool

from fakes.graph import Graph, wait_for
from fakes.loopback import LoopbackRobot
from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array
from pi05_ros.nodes.control_bridge.control_bridge import ControlBridge
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
JOINT = PLATFORM.index("left_arm_joint_1")
BASE = PLATFORM.index("base_vx")


class Scene:
    """A bridge, a robot and a test node."""

    def __init__(self, graph: Graph, platform=PLATFORM, kinds=None, body=None, **parameters):
        self.node = graph.plain("test")
        self.platform = platform
        self.robot = LoopbackRobot((body or graph).plain("robot"), platform, kinds=kinds)
        self.states: list[RobotState] = []
        self.node.create_subscription(
            RobotState, "robot_state", self.states.append, qos.ROBOT_STATE
        )
        self.chunks = self.node.create_publisher(ActionChunk, "action_chunk", qos.ACTION_CHUNK)
        name = platform.name if platform is PLATFORM else platform.source
        self.bridge = graph.add(ControlBridge, platform=name, **parameters)
        self.sequence = 0
        self.absent = sum(kind is None for kind in (kinds or {}).values())
        assert self.bridge.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.bridge.trigger_activate() == TransitionCallbackReturn.SUCCESS
        wait_for(lambda: self.states, "a robot state")

    def call(self, kind, name, request):
        """Call a service of the bridge and return its response."""
        client = self.node.create_client(kind, f"control_bridge/{name}")
        assert client.wait_for_service(30.0)
        future = client.call_async(request)
        return wait_for(lambda: future.done() and future.result(), name)

    def arm(self):
        """Arm, wait for the new epoch and return the response."""
        wait_for(lambda: self.bridge._sender.matches().count(0) == self.absent, "controllers")
        response = self.call(SetBool, "arm", SetBool.Request(data=True))
        if response.success:  # Only a state from after it carries the new epoch.
            wait_for(lambda: self.states[-1].mode == RobotState.MODE_HOLDING, "hold")
        return response

    def chunk(self, **changes) -> ActionChunk:
        """Return a chunk of a joint that moves 0.2 rad in a second and a base that drives."""
        platform = self.platform
        actions = np.tile(platform.home, (50, 1))
        actions[:, JOINT] = np.linspace(0, 0.2, 50)
        actions[:, platform.is_velocity] = [0.2, 0.0, 0.0]
        self.sequence += 1
        state = self.states[-1]
        message = ActionChunk(
            session=state.session,
            epoch=state.epoch,
            sequence=self.sequence,
            names=list(platform.names),
            period=0.02,
            horizon=50,
            data=float_array(actions, "f"),
        )
        message.header.stamp = self.node.get_clock().now().to_msg()
        for name, value in changes.items():
            setattr(message, name, value)
        return message
