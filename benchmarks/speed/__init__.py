"""Parts of `model_speed.py`: the request, the implementations, the floor, and the report."""
