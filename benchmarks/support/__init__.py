"""What the benchmarks share: a load generator, servers to measure, and how figures are printed."""
