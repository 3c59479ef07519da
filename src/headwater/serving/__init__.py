"""Applications behind an address: routes made from their fields, a page for people, and new interactions folded in."""
