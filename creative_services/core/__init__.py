"""The plain Python half: what an LLM entry is, how one is chosen and how it is called. It knows no Django."""
