"""What a node and the hub both hold to: words of the wire, values, states and refusals.

It stands alone: neither node nor hub is imported from here, and they meet only in the messages it describes.
"""
