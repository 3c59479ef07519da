"""Measuring: metrics with intervals, calibration, baselines, the report."""
