"""The REST face: JSON in, JSON or server-sent events out. Mount it with `include("creative_services.urls")`."""
