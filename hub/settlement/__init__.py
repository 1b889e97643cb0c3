"""What funds owe each other for conversions, and how far the euros are."""
