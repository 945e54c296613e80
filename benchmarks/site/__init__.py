"""The site that the HTTP benchmarks ask: this app, and beside it the least that a team would write itself."""
