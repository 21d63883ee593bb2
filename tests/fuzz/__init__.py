"""Broken inputs by the ten thousand: `make fuzz`."""
