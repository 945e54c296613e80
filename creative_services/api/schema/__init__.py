"""The OpenAPI schema of the API, for drf-spectacular: what the views take and give, with examples.

The extra `schema` installs drf-spectacular. `creative_services.urls` loads `extensions` where the project has
installed it as an app; nothing else here needs it.
"""
