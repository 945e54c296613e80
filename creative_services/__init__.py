"""Text by tier instead of by model, for Django teams: a registry of LLMs, and clients that use it.

Importing this package needs neither Django nor settings.
"""
