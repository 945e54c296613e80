"""What every test can use."""

pytest_plugins = ["tests.no_skips"]
