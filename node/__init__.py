"""A node: one organisation's book of rights, its projects and its people.

It speaks to the hub only in the messages of `protocol`, and works on while the hub cannot be reached.
"""
