"""The accounts base's side of the people's base: holders' accounts are opened, frozen and closed by number alone.

numbers     the number that an account is offered, derived from the id under which it was asked
service     does what the people's base asks, in the page that stores it
checks      each account opened for it, and each that it closed, is what both signed

No name comes this way, and none goes: who holds an account is known in the people's base and nowhere else.
"""
