"""Object detection: boxes around the things in pictures, and what they are."""
