"""What a call costs beyond raw httpx; run by hand with `python -m benchmarks.overhead`."""
