"""Names of the brains, and descriptions of the options that choose one and how it runs.

Node parameters, launch arguments and the options of `pi05 up` and `pi05 demo` share them.
"""

from __future__ import annotations

BRAIN_NAMES = ("model", "expert", "none")

DESCRIPTIONS = {
    "brain": "Source of subtasks and actions: the pi0.5 model; the scripted expert, which "
    "reads the state of a mock home; or none, where an operator drives and speaks.",
    "checkpoint": "The model's weights: a folder, the name of shipped ones (nano), or "
    "random:PRESET?seed=N. Empty: the shipped nano, or random:nano where none is shipped.",
    "device": "Device of the model: cpu, cuda, cuda:1, or auto for the first GPU, else the CPU.",
    "dtype": "Data type of weights and activations; auto: bfloat16 on a GPU, float32 on a CPU.",
    "execution": "Execution of the forward passes; compiled and graphs are faster and take a "
    "minute to start. auto: graphs on a GPU, eager on a CPU.",
    "seed": "Seed of the random numbers of inference: noise and sampled tokens.",
    "chunk_mode": "Transition between chunks. sync: the robot stands and waits for each chunk; "
    "async: the next chunk is computed while one is executed; rtc: as async, and continues the "
    "running chunk by guidance of the flow; trained_rtc: as async, and continues it as trained. "
    "auto: trained_rtc if the checkpoint was trained for it, else async.",
}
