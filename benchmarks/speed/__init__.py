"""Parts of `model_speed.py`: the request, who answers it, the floor, and the report."""
