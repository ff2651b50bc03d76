"""The training objective: batches, and their losses."""
