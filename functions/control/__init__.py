"""Bridges to the site controller."""
