"""The camera ingestion node: pictures of drivers in, time-matched sets out."""
