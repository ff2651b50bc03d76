"""Names of the brains, and descriptions of the options that choose one and how it runs.

Node parameters, launch arguments and the options of `pi05 up` and `pi05 demo` share them.
"""

from __future__ import annotations

BRAIN_NAMES = ("model", "expert")

DESCRIPTIONS = {
    "brain": "Brain that plans and acts: the pi0.5 model, or a scripted expert that reads the "
    "state of a mock home.",
    "checkpoint": "Folder of the model's weights. Empty: nano size, weights drawn at random.",
    "device": "Device that the model runs on: cpu, cuda, cuda:1, or auto for a GPU if any.",
    "dtype": "Data type of the model's weights and activations. auto: bfloat16 on a GPU, float32 "
    "on a CPU.",
    "execution": "How the model's passes run. compiled and graphs are faster and take a minute to "
    "start. auto: graphs on a GPU, eager on a CPU.",
    "seed": "Seed of what the model samples: noise and tokens.",
    "chunk_mode": "How action chunks follow each other. sync: the robot stands and waits for "
    "each; async: the next is computed while one runs; rtc: and continues it by guidance of the "
    "flow; trained_rtc: and continues it as trained. auto: trained_rtc where the model was "
    "trained for it, else async.",
}
