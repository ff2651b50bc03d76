"""Options of inference: device, dtype, execution mode, sampling. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Execution = Literal["eager", "compiled", "graphs"]  # See engine.Pi05Engine.
DtypeChoice = Literal["auto", "float32", "bfloat16"]
ExecutionChoice = Literal["auto", "eager", "compiled", "graphs"]
DTYPES: tuple[str, ...] = get_args(DtypeChoice)
EXECUTIONS: tuple[str, ...] = get_args(ExecutionChoice)


@dataclass(frozen=True)
class ModelOptions:
    """Inference options of the model. "auto" is resolved for the device when the model loads."""

    device: str = "auto"  # "cpu", "cuda", "cuda:1"; auto: the first GPU, where there is one.
    dtype: str = "auto"  # Of the weights. auto: bfloat16 on a GPU, float32 on a CPU.
    execution: str = "auto"  # See Execution. auto: graphs on a GPU, eager on a CPU.
    threads: int = 1  # CPU threads of torch; 0: torch's own default. See Pi05Engine.
    temperature: float = 0.0  # Of text generation; 0: greedy decoding.
    seed: int = 0  # Of flow noise and sampled tokens.

    def __post_init__(self) -> None:
        for name, valid in (("dtype", DTYPES), ("execution", EXECUTIONS)):
            if (value := getattr(self, name)) not in valid:
                raise ValueError(f"{name}: wanted one of {', '.join(valid)}, found '{value}'")
        if self.threads < 0:
            raise ValueError(f"threads: wanted 0 or more, found {self.threads}")
        if not self.temperature >= 0.0:
            raise ValueError(f"temperature: wanted 0 or more, found {self.temperature}")
