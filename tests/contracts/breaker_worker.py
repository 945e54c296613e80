"""One of several processes that ask the same two LLMs all the time, until the first one answers; prints what came.

It says when it is ready, and begins when it is sent a line.
"""

import json
import sys
import time
from dataclasses import replace

from django.conf import settings

from creative_services import DictRegistry, SyncDynamicLLMClient
from creative_services.adapters.breaker import CacheBreaker
from creative_services.testing.breaker_story import LLM


def main(caches: str, sick: str, well: str) -> None:
    settings.configure(CACHES=json.loads(caches), SECRET_KEY="only-for-tests")
    entries = [
        replace(LLM, id=number, api_endpoint=url, cost_per_1k_input=float(number))
        for number, url in enumerate((sick, well), 1)
    ]
    answers: list[str] = []
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with SyncDynamicLLMClient(DictRegistry(entries), breaker=CacheBreaker()) as client:
        while "back" not in answers:
            answers.append(client.generate("Hi").text)
            time.sleep(0.01)
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
