"""Files of a checkpoint: safetensors, manifest, tokenizer, weights under their names."""
