"""How people decide with their rights: proposals, votes and their counting. Not yet: comes with issue 4."""
