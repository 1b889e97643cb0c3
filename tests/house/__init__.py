"""The bases of a territory: their cards, their file, the clearing house, and real processes."""
