"""The vision room: one folder a task."""
