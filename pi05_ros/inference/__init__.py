"""The torch brain: engine, passes over a scene, caches.

Read model_brain (observations in, subtasks and chunks out), then engine (one model for both
levels), then passes (prefill, flow, decoding; graph_passes: as CUDA graphs).
"""
