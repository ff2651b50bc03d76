"""Parts of the benchmarks that run the suite's nodes as processes, on the system's clock."""
