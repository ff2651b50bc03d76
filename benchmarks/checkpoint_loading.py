"""Time and additional memory of loading π0.5 at full size.

    python benchmarks/checkpoint_loading.py --folder /tmp/pi05 --file-dtype bfloat16

Writes a folder in LeRobot's layout at the published size, in shards, with random weights (one
random row per tensor, repeated), loads it in new processes, with the file cache cold and warm,
without and with a comparison of SHA-256, and removes it. Requires 7 GB of disk in bfloat16, 14 GB
in float32, and memory for the weights.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import torch

from pi05_ros.checkpoints.layouts.lerobot import read_lerobot
from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.checkpoints.layouts.public_weights import EMBEDDING, EXPERT_HEAD, HEAD
from pi05_ros.checkpoints.storage.manifest import ManifestCheck, read_manifest, write_manifest
from pi05_ros.checkpoints.storage.safetensors_file import write_safetensors
from pi05_ros.checkpoints.storage.weights import INDEX, load_model, wanted_shapes
from pi05_ros.model.config import load_preset

SHARDS = 4
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def make(folder: Path, dtype: torch.dtype) -> None:
    """Write the folder. As in the public file, the tied tensor is stored as lm_head only."""
    shapes = {public_name(n): shape for n, shape in wanted_shapes(load_preset("base")).items()}
    shapes[HEAD] = shapes.pop(EMBEDDING)
    shapes[EXPERT_HEAD] = (shapes[HEAD][0], load_preset("base").expert.width)
    torch.manual_seed(0)
    names = sorted(shapes)
    weight_map = {}
    folder.mkdir(parents=True)
    for index in range(SHARDS):
        file = f"model-{index + 1:05}-of-{SHARDS:05}.safetensors"
        tensors = {}
        for name in names[index::SHARDS]:
            row = torch.randn(shapes[name][1:]) if len(shapes[name]) > 1 else torch.randn(())
            tensors["model." + name] = row.to(dtype).expand(shapes[name])
            weight_map["model." + name] = file
        write_safetensors(folder / file, tensors)
    (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    config = {
        "type": "pi05",
        "paligemma_variant": "gemma_2b",
        "action_expert_variant": "gemma_300m",
    }
    (folder / "config.json").write_text(json.dumps(config))
    write_manifest(folder)


def load(folder: Path, dtype: torch.dtype, device: str, hashes: bool) -> None:
    """Load the folder in this process and print one line of JSON."""
    torch.set_num_threads(1)
    before, peak, stop = _anonymous(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.01):
            peak = max(peak, _anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    contents = read_lerobot(folder)
    check = ManifestCheck(folder, read_manifest(folder), hashes)
    model = load_model(contents.config, contents.tensors, dtype, device)
    check.finish()
    check.close()
    seconds = time.perf_counter() - start
    stop.set()
    watcher.join()
    result = {
        "seconds": round(seconds, 1),
        "weights_gb": sum(p.nbytes for p in model.parameters()) / 1e9,
        "anonymous_gb": (max(peak, _anonymous()) - before) / 1e9,
        "resident_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }
    print(json.dumps({name: round(value, 2) for name, value in result.items()}))


def _anonymous() -> int:
    """Anonymous memory of this process [byte]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def empty_cache(folder: Path) -> None:
    """Drop the files' pages from the cache of the system."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def main() -> int:
    """Make the folder, load it cold and warm, remove it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="new; removed at the end")
    parser.add_argument("--file-dtype", choices=DTYPES, default="bfloat16")
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16", help="in memory")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--hashes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--load-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load_only:
        load(options.folder, DTYPES[options.dtype], options.device, options.hashes)
        return 0
    try:
        make(options.folder, DTYPES[options.file_dtype])
        size = sum(path.stat().st_size for path in options.folder.iterdir())
        print(f"{size / 1e9:.2f} GB in {options.file_dtype}, loaded as {options.dtype}")
        for hashes in ([], ["--hashes"]):
            for cache in ("cold", "warm"):
                if cache == "cold":
                    empty_cache(options.folder)
                command = [sys.executable, __file__, *sys.argv[1:], "--load-only", *hashes]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(cache, *hashes, done.stdout.strip(), flush=True)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
