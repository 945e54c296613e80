"""The smallest Django project that shows everything."""
