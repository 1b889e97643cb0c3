"""Keys for programs: tills, portals, scripts. A key has scopes, may be bound to one account, and is kept as a hash."""
