"""Control: agents that learn what to do by doing it (reinforcement learning)."""
