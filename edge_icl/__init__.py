"""Teach a local LLM with your own examples, and take any of them back exactly."""

__version__ = "0.1.0"
