"""Learning: one trainer for every torch model."""
