"""How far apart two data sets are, and in which words and numbers: distances, shifts, the page."""
