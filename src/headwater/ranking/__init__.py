"""Which models fit the data before any is adapted: candidates, their scores and costs, the ranking."""
