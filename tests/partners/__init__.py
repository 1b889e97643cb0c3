"""The rules of the companies' room."""
