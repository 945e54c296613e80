"""Sphinx: `make docs`."""

project = "creative_services"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Text by tier instead of by model"}
myst_heading_anchors = 3
