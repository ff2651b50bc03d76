"""The camera ingestion node: driver pictures in, time-matched sets out."""
