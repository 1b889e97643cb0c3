"""The fund: euros in, miles issued, euros paid to bearers."""
