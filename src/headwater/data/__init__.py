"""Fields, records, reading, quarantine, splitting."""
