"""The search for the best model, strategy and settings: its space, its trials, its workers, its page."""
