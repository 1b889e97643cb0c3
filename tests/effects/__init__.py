"""The accounts base's side of the companies."""
