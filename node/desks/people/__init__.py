"""The desk of the people's base: who is behind an account. Only those whose duty it is come here."""
