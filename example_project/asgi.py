"""The project as a ASGI application."""

import gc
import os

from creative_services.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

application = get_asgi_application()

# Hundreds of open streams are more live objects than Python reckons with: looking through them takes less often.
gc.set_threshold(10_000, 50, 50)
