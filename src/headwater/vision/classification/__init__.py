"""Image classification: which class, or which labels, does an image have?"""
