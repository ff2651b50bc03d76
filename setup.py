"""The ament_python package pi05_ros: the root of the repository is the package."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "pi05_ros"

# What `ros2 run pi05_ros NAME` starts: the main() of the module of that name in pi05_ros.nodes.
EXECUTABLES = (
    "brain",
    "camera_ingestion",
    "console",
    "control_bridge",
    "inspector",
    "lifecycle_manager",
    "mock_home",
    "planner",
    "policy",
    "recorder",
    "teleop",
)


def shared(folder: str, pattern: str = "*") -> list[tuple[str, list[str]]]:
    """The files below a folder, to be installed in share/pi05_ros under the same names."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(folder).rglob(pattern)):
        if path.is_file():
            found.setdefault(f"share/{NAME}/{path.parent}", []).append(str(path))
    return list(found.items())


setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={
        f"{NAME}.console": ["page/*"],
        f"{NAME}.labelling": ["page/*"],
        f"{NAME}.evaluation.report": ["*.j2"],
        f"{NAME}.evaluation.eval_report": ["*.j2"],
        f"{NAME}.evaluation.reproduction": ["*.j2"],
        f"{NAME}.evaluation.shipping": ["*.j2"],
        f"{NAME}.training.reporting": ["*.j2"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared("launch", "*.launch.py"),
        *shared("config"),
        *shared("urdf"),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="pi05_ros maintainers",
    maintainer_email="maintainers@pi05-ros.example",
    description="Runs the vision-language-action model π0.5 on mobile manipulators.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            *(f"{name} = {NAME}.nodes.executables:{name}" for name in EXECUTABLES),
            f"pi05 = {NAME}.cli.main:main",
        ]
    },
)
