"""The desk of the accounts: accounts, movements, cessions, orientation, solidarity, groups and the catalogue."""
