"""Text classification: which class, or which labels, does a text have?"""
