"""One house under the deterministic simulator: accounts, fund and companies on their real books. See ../README.md."""
