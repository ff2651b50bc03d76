"""Options of inference: device, dtype, execution mode, sampling. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pi05_ros.brain.options import DESCRIPTIONS
from pi05_ros.foundation.settings import setting

Execution = Literal["eager", "compiled", "graphs"]  # See engine.Pi05Engine.
DtypeChoice = Literal["auto", "float32", "bfloat16"]
ExecutionChoice = Literal["auto", "eager", "compiled", "graphs"]
DTYPES: tuple[str, ...] = get_args(DtypeChoice)
EXECUTIONS: tuple[str, ...] = get_args(ExecutionChoice)


@dataclass(frozen=True)
class ModelOptions:
    """Inference options. "auto" depends on the device; the brain reports the result."""

    device: str = setting("auto", DESCRIPTIONS["device"])
    dtype: str = setting("auto", DESCRIPTIONS["dtype"], choices=DTYPES)
    # See engine.Pi05Engine.
    execution: str = setting("auto", DESCRIPTIONS["execution"], choices=EXECUTIONS)
    threads: int = setting(
        1,
        "Number of torch threads on the CPU; 0: torch's default.",
        minimum=0,
        maximum=256,
    )
    temperature: float = setting(
        0.0,
        "Sampling temperature of the subtask's tokens; 0.0: greedy decoding.",
        minimum=0.0,
        maximum=10.0,
    )
    seed: int = setting(
        0,
        DESCRIPTIONS["seed"],
        minimum=0,
        maximum=2**31 - 1,
    )

    def __post_init__(self) -> None:
        for name, valid in (("dtype", DTYPES), ("execution", EXECUTIONS)):
            if (value := getattr(self, name)) not in valid:
                raise ValueError(f"{name}: wanted one of {', '.join(valid)}, found '{value}'")
        if self.threads < 0:
            raise ValueError(f"threads: wanted 0 or more, found {self.threads}")
        if not self.temperature >= 0.0:
            raise ValueError(f"temperature: wanted 0 or more, found {self.temperature}")
