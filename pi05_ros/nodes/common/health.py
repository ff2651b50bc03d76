"""Health of a node, and its message on /diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

OK, WARN, ERROR = 0, 1, 2  # Levels of diagnostic_msgs/DiagnosticStatus.


@dataclass(frozen=True)
class Health:
    """Health of a node."""

    level: int = OK  # OK, WARN or ERROR.
    message: str = "OK"  # One sentence.
    values: dict[str, Any] = field(default_factory=dict)  # Rates, ages, counts; units in the keys.


def diagnostics_message(name: str, health: Health, stamp: Time) -> DiagnosticArray:
    """Build the message of one node's health.

    Args:
        name: Fully qualified name of the node.
        health: Its health.
        stamp: Time of the message.
    """
    status = DiagnosticStatus(
        level=bytes([health.level]),
        name=name,
        message=health.message,
        hardware_id="pi05_ros",
        values=[KeyValue(key=str(k), value=str(v)) for k, v in health.values.items()],
    )
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message
