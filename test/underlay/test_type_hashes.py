"""The interfaces' type hashes are those of the public packages, or no robot would understand us.

The literals were read from builds of the public definitions (control_msgs 5.8, tf2_msgs 0.36,
branch jazzy).
"""

import json
from pathlib import Path

import pytest

index = pytest.importorskip("ament_index_python.packages")

PUBLIC = {
    "control_msgs/action/FollowJointTrajectory": (
        "RIHS01_738ebcb7a2d7cfa42f9f1001cc99ce3a4383d1cfe508015d9be8485e4b1c66f6"
    ),
    "control_msgs/action/FollowJointTrajectory_FeedbackMessage": (
        "RIHS01_80398fcb9674a79081a9906e2ccf0c804dd7cb15e22e362e606ee87186beab71"
    ),
    "control_msgs/action/FollowJointTrajectory_GetResult": (
        "RIHS01_e3ceb38e3e1867c8dc0f46014df26e90eb93422f27e9e97f936e07f94be4bc8b"
    ),
    "control_msgs/action/FollowJointTrajectory_SendGoal": (
        "RIHS01_b13789dddc325a7a962825c45e28c77d37237ec129dd0c34dc5994562938c57f"
    ),
    "control_msgs/action/ParallelGripperCommand": (
        "RIHS01_adfd3c1ebe8abc38ebcc0e454b6423d291d4010dd5697d14eca5b9be4726ae18"
    ),
    "control_msgs/action/ParallelGripperCommand_FeedbackMessage": (
        "RIHS01_c61f4cf99d06c5a3e24bed17c2910bdf66a30d89461e2ac7b5fd538a34b022cc"
    ),
    "control_msgs/action/ParallelGripperCommand_GetResult": (
        "RIHS01_e4c7f0e8a831ce5625ed20abcd13796406d945f92ebc7ad5972e0b0d29b381bd"
    ),
    "control_msgs/action/ParallelGripperCommand_SendGoal": (
        "RIHS01_567c37373fed1260adbe047415688c73e4f3e94b2e3982761ecc71fd63d710a7"
    ),
    "control_msgs/msg/JointComponentTolerance": (
        "RIHS01_739ea7566931944d33830fa10f1bf5e7a7fbdc3172bce7a7eaac642bd6e3ffa4"
    ),
    "control_msgs/msg/JointTolerance": (
        "RIHS01_c254f9cece0f3b733017b6990fd46d1326e25242d6b8844398c97d9a88e7d648"
    ),
    "control_msgs/msg/JointTrajectoryControllerState": (
        "RIHS01_51d8dd89cc624cbe9daaeeb4d80d6de9b86168ffdc3be41fefc0953e3c26e480"
    ),
    "tf2_msgs/msg/TFMessage": (
        "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
    ),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_hash_is_the_public_one(name):
    package, kind, type_name = name.split("/")
    share = Path(index.get_package_share_directory(package))
    description = share / kind / f"{type_name.partition('_')[0]}.json"
    if not description.is_file():
        pytest.skip("this distribution is older than type hashes")
    found = {
        h["type_name"]: h["hash_string"]
        for h in json.loads(description.read_text())["type_hashes"]
    }
    assert found[name] == PUBLIC[name]


def test_the_constants_that_hashes_do_not_cover_are_the_public_ones():
    from control_msgs.action import FollowJointTrajectory
    from control_msgs.msg import JointComponentTolerance

    result = FollowJointTrajectory.Result
    assert (
        result.SUCCESSFUL,
        result.INVALID_GOAL,
        result.INVALID_JOINTS,
        result.OLD_HEADER_TIMESTAMP,
        result.PATH_TOLERANCE_VIOLATED,
        result.GOAL_TOLERANCE_VIOLATED,
    ) == (0, -1, -2, -3, -4, -5)
    component = JointComponentTolerance
    assert (
        component.X_AXIS,
        component.Y_AXIS,
        component.Z_AXIS,
        component.TRANSLATION,
        component.ROTATION,
    ) == (1, 2, 3, 4, 5)
