"""The project as an ASGI application."""

import gc
import os

from creative_services.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

application = get_asgi_application()

# All streams wait while the garbage collector works. So it leaves alone what is loaded by now, and looks at what is new
# less often than by default, but at what has grown old sooner, so that memory stays.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 5, 2)
