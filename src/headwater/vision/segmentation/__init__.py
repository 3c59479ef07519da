"""Semantic segmentation: the class of every pixel of an image."""
