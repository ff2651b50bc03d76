"""Files of a checkpoint: safetensors, manifest, tokenizers, weights by name."""
