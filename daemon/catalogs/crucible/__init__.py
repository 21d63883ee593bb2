"""Crucible v3, and every server that speaks its API."""
