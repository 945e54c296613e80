"""The project as an ASGI application."""

import gc
import os

from creative_services.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

application = get_asgi_application()

# The garbage collector need not look again and again at what is loaded by now: all streams wait meanwhile.
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
