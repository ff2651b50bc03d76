"""Read a dataset with LeRobot's own code, in a Python that has it, and write the result.

PYTHON read_with_lerobot.py DATASET RESULT.npz
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset

HORIZON = 50


def main(folder: Path, result: Path) -> None:
    """Load a dataset, index it with chunks of actions, and iterate with workers."""
    fps = json.loads((folder / "meta/info.json").read_text())["fps"]
    deltas = {"action": [step / fps for step in range(HORIZON)]}
    dataset = LeRobotDataset("ours/checked", root=folder, delta_timestamps=deltas)
    count = len(dataset)
    rows = sorted({0, count // 3, count // 2, count - 1})
    seen = {}
    for row in rows:
        item = dataset[row]
        seen[f"{row}/action"] = item["action"].numpy()
        seen[f"{row}/action_is_pad"] = item["action_is_pad"].numpy()
        seen[f"{row}/state"] = item["observation.state"].numpy()
        seen[f"{row}/time_ns"] = item["time_ns"].numpy()
        for name in ("task", "subtask", "source", "boxes", "outcome"):
            seen[f"{row}/{name}"] = np.array(item[name])
        for key in dataset.meta.camera_keys:
            seen[f"{row}/{key}"] = item[key].numpy()
    # The columns themselves, before torch converts them to float32.
    table = dataset.hf_dataset.data
    seen["states"] = np.array(table.column("observation.state").to_pylist())
    seen["actions"] = np.array(table.column("action").to_pylist())
    seen["statistics"] = np.array(
        json.dumps(
            {
                k: {n: np.asarray(v).tolist() for n, v in s.items()}
                for k, s in dataset.meta.stats.items()
            }
        )
    )
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=2)
    seen["loaded"] = np.array(sum(len(batch["index"]) for batch in loader))
    chosen = LeRobotDataset(
        "ours/checked", root=folder, episode_filter=lambda row: row["outcome"] == "success"
    )
    seen["successes"] = np.array(chosen.num_episodes)
    seen["episodes"] = np.array(dataset.num_episodes)
    np.savez(result, rows=np.array(rows), keys=np.array(list(dataset.features)), **seen)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
