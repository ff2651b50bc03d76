"""The environment of the suite's processes, for folders that look like a checkout."""

import pytest

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.environment import domain_id, environment
from pi05_ros.bootstrap.ros_source import RosSource

WHEELS = RosSource("jazzy", (), from_wheels=True)


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "repo"
    site = root / ".venv" / "lib" / "python3.11" / "site-packages"
    (site / "ros_rclpy.libs").mkdir(parents=True)
    built = root / "install" / "interfaces" / "pi05_msgs"
    (built / "share" / "pi05_msgs").mkdir(parents=True)
    (built / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (root / "install" / "interfaces" / "half_built").mkdir()
    return Checkout(root)


def test_with_wheels_each_search_path_is_complete_and_ours(checkout):
    root = checkout.root
    found = environment(checkout, WHEELS, {"PATH": "/bin"})
    built = root / "install/interfaces/pi05_msgs"
    assert found["PYTHONPATH"].split(":") == [
        str(root),
        f"{built}/lib/python3.11/site-packages",
        f"{root}/underlay/cv_bridge",
        f"{root}/underlay/tf2_ros",
    ]
    assert found["LD_LIBRARY_PATH"].split(":") == [
        f"{built}/lib",
        f"{root}/.venv/lib",
        f"{root}/.venv/lib/python3.11/site-packages/ros_rclpy.libs",
    ]
    assert found["AMENT_PREFIX_PATH"] == found["CMAKE_PREFIX_PATH"] == f"{built}:{root}/.venv"
    assert found["PATH"] == f"{root}/.venv/bin:/bin"
    assert found["RMW_IMPLEMENTATION"] == "rmw_fastrtps_cpp"
    assert found["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert found["LP_NUM_THREADS"] == "0"
    assert "MUJOCO_GL" not in found


def test_another_environment_in_the_shell_is_not_mixed_in(checkout, tmp_path):
    """The start-up hook's mark of another environment must not keep ours from being set up."""
    foreign = tmp_path / "foreign"
    (foreign / "lib").mkdir(parents=True)
    (foreign / "lib" / "librcutils.so").touch()
    caller = {
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
        "PYTHONPATH": "/foreign/site-packages",
        "AMENT_PREFIX_PATH": "/foreign",
        "LD_LIBRARY_PATH": f"/usr/local/cuda/lib64:{foreign}/lib:/foreign/ros_rcl.libs",
    }
    found = environment(checkout, WHEELS, caller)
    for name in ("PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "LD_LIBRARY_PATH"):
        assert "foreign" not in found[name]
    assert found["LD_LIBRARY_PATH"].endswith(":/usr/local/cuda/lib64")
    assert found["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] == "1"


def test_what_the_caller_chose_is_kept(checkout):
    chosen = {
        "RMW_IMPLEMENTATION": "rmw_fastrtps_dynamic_cpp",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "ROS_DOMAIN_ID": "42",
        "FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml",
        "MUJOCO_GL": "glfw",
        "LP_NUM_THREADS": "4",
    }
    found = environment(checkout, WHEELS, chosen, mujoco_gl="egl")
    assert {name: found[name] for name in chosen} == chosen
    assert found["FASTDDS_DEFAULT_PROFILES_FILE"] == "/mine.xml"


def test_the_profile_and_the_graphics_are_ours_where_the_caller_chose_none(checkout):
    found = environment(checkout, WHEELS, {}, mujoco_gl="osmesa")
    assert found["FASTRTPS_DEFAULT_PROFILES_FILE"] == f"{checkout.root}/config/fastdds.xml"
    assert found["MUJOCO_GL"] == "osmesa"


def test_another_middleware_gets_no_fast_dds_profile(checkout):
    found = environment(checkout, WHEELS, {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"})
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" not in found


def test_an_environment_inside_itself_changes_nothing(checkout):
    first = environment(checkout, WHEELS, {"PATH": "/bin", "LD_LIBRARY_PATH": "/cuda"})
    assert environment(checkout, WHEELS, first) == first


def test_a_distribution_keeps_its_own_paths_and_defaults(checkout, tmp_path):
    opt = tmp_path / "opt"
    index = opt / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    for name in ("cv_bridge", "tf2_ros_py", "control_msgs", "tf2_msgs"):
        (index / name).touch()
    source = RosSource("jazzy", (opt,), from_wheels=False)
    names = ("PYTHONPATH", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH")
    found = environment(checkout, source, dict.fromkeys(names, f"{opt}/x"))
    built = checkout.root / "install/interfaces/pi05_msgs"
    assert found["PYTHONPATH"].split(":") == [
        str(checkout.root),
        f"{built}/lib/python3.11/site-packages",
        f"{opt}/x",
    ]
    assert found["AMENT_PREFIX_PATH"] == f"{built}:{opt}/x"
    assert found["LD_LIBRARY_PATH"] == f"{built}/lib:{opt}/x"
    for name in ("RMW_IMPLEMENTATION", "ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE"):
        assert name not in found
    assert "_ROS_WHEELS_BOOTSTRAP_COMPLETE" not in found


def test_domains_are_stable_apart_and_in_range(tmp_path):
    ids = [domain_id(tmp_path / str(i), 1000) for i in range(200)]
    assert ids == [domain_id(tmp_path / str(i), 1000) for i in range(200)]
    assert min(ids) >= 1
    assert max(ids) <= 100
    assert len(set(ids)) > 50
    assert any(
        domain_id(tmp_path / str(i), 1000) != domain_id(tmp_path / str(i), 1001) for i in range(5)
    )
