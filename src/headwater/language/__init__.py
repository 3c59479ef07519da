"""The language room: one folder a task."""
