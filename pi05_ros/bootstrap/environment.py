"""The environment in which the suite's processes run.

Variables and their reasons:

* `PATH`, `VIRTUAL_ENV`: the virtual environment's programs come first.
* `PYTHONPATH`: the checkout, the built interfaces, and those parts of underlay/ that the
  distribution lacks. With wheels the caller's is dropped: another ROS there would be mixed in.
* `LD_LIBRARY_PATH`, `AMENT_PREFIX_PATH`, `CMAKE_PREFIX_PATH`: the built interfaces, then ROS.
* `_ROS_WHEELS_BOOTSTRAP_COMPLETE`: the wheels' start-up hook would run Python twice to set
  LD_LIBRARY_PATH, which is set here; and one inherited from another environment would stop it.
* `FASTRTPS_DEFAULT_PROFILES_FILE` (Fast DDS 2) and `FASTDDS_DEFAULT_PROFILES_FILE` (Fast DDS 3):
  the profile whose shared-memory segment holds an image, unless the caller has one.
* `MUJOCO_GL`: the off-screen OpenGL that works here, unless the caller has chosen one.
* `LP_NUM_THREADS`: 0 makes the software renderer draw in the caller's thread. Small images render
  as fast as with worker threads, without waking those for each image.

With wheels only, unless the caller has set them:

* `RMW_IMPLEMENTATION`: Fast DDS is the one that is installed.
* `ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST`: there is no robot to discover, and mock homes on one
  network must not discover each other.
* `ROS_DOMAIN_ID`: a hash of the checkout's path and the user, so that two checkouts on one machine
  are isolated and two shells in one checkout are not. A distribution keeps ROS's own defaults:
  there the robot's drivers must be discovered. `PI05_CHECKOUT_DOMAIN_ID` repeats it, so that a
  demo can distinguish it from a domain that the user has chosen.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.ros_source import RosSource, python_folders

DOMAINS = 100  # Domain IDs above 101 collide with Linux's ephemeral ports.


def environment(
    checkout: Checkout, source: RosSource, environ: Mapping[str, str], mujoco_gl: str = ""
) -> dict[str, str]:
    """Return the variables of the suite's processes that differ from the caller's.

    Args:
        checkout: The clone of the repository.
        source: Where ROS 2 comes from.
        environ: The caller's environment.
        mujoco_gl: The off-screen OpenGL that works ("egl", "osmesa"), or "" where none is known.

    Returns:
        Names and values to set on top of `environ`.
    """
    interfaces = checkout.installed_interfaces()
    python_path = [checkout.root]
    for prefix in interfaces:
        python_path += python_folders(prefix)
    python_path += [checkout.root / "underlay" / name for name in source.python_underlay()]
    result = {
        "VIRTUAL_ENV": str(checkout.venv),
        "PATH": _joined([checkout.venv / "bin"], environ.get("PATH", os.defpath)),
        "LP_NUM_THREADS": environ.get("LP_NUM_THREADS", "0"),
    }
    libraries = [prefix / "lib" for prefix in interfaces]
    if source.from_wheels:
        site = sorted(checkout.venv.glob("lib/python3*/site-packages/ros_*.libs"))
        libraries += [checkout.venv / "lib", *site]
        result |= {
            "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
            "PYTHONPATH": _joined(python_path),
            "LD_LIBRARY_PATH": _joined(libraries, _without_ros(environ)),
            "AMENT_PREFIX_PATH": _joined([*interfaces, checkout.venv]),
            "CMAKE_PREFIX_PATH": _joined([*interfaces, checkout.venv]),
            "PI05_CHECKOUT_DOMAIN_ID": str(domain_id(checkout.root, os.getuid())),
        }
        defaults = {
            "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_DOMAIN_ID": str(domain_id(checkout.root, os.getuid())),
        }
    else:
        for name, paths in (
            ("PYTHONPATH", python_path),
            ("LD_LIBRARY_PATH", libraries),
            ("AMENT_PREFIX_PATH", interfaces),
            ("CMAKE_PREFIX_PATH", interfaces),
        ):
            result[name] = _joined(paths, environ.get(name, ""))
        defaults = {}
    defaults |= _fast_dds_profile(checkout, environ)
    if mujoco_gl:
        defaults["MUJOCO_GL"] = mujoco_gl
    return result | {name: environ.get(name) or value for name, value in defaults.items()}


def domain_id(root: Path, user: int) -> int:
    """Return a ROS domain, 1 to 100, that is constant for a user and a checkout."""
    return 1 + zlib.crc32(f"{user}:{root}".encode()) % DOMAINS


def _fast_dds_profile(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name the profile; none where another middleware is chosen."""
    if not environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp").startswith("rmw_fastrtps"):
        return {}
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    chosen = next((environ[name] for name in names if environ.get(name)), "")
    profile = chosen or str(checkout.root / "config" / "fastdds.xml")
    return dict.fromkeys(names, profile)


def _without_ros(environ: Mapping[str, str]) -> str:
    """Return the caller's LD_LIBRARY_PATH without the libraries of another ROS."""
    entries = environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return os.pathsep.join(
        entry
        for entry in entries
        if not re.fullmatch(r"ros_.*\.libs", Path(entry).name)
        and not (Path(entry) / "librcutils.so").exists()
    )


def _joined(first: Iterable[Path], rest: str = "") -> str:
    """Return a search path: `first`, then the other entries of `rest`, without duplicates."""
    entries = [*map(str, first), *(entry for entry in rest.split(os.pathsep) if entry)]
    return os.pathsep.join(dict.fromkeys(entries))
