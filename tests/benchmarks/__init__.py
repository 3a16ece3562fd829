"""Benchmarks: each figure beside a bare floor measured in the same run; read the ratios."""
