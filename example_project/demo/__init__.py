"""The demo behind `make demo`: a real small model, real text, and the site around it."""
