"""One file a row: `run(trial)` tries the fault and gives its checks. See catalog."""
