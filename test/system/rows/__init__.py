"""One file a row: `run(trial)` injects the fault and returns its checks. See catalog."""
