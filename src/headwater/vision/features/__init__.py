"""Image features: networks that learn to see from images without labels."""
