from rest_framework.throttling import BaseThrottle


class NotHasty(BaseThrottle):
    """Whoever is called hasty has asked too often already."""

    def allow_request(self, request, view):
        return request.user.get_username() != "hasty"

    def wait(self):
        return 7.0
