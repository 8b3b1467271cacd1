"""Stands here so that tests of the inner rooms can import this folder's helpers (layouts)."""
