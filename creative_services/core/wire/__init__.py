"""One file per wire format: pure translation between our values and an API's JSON."""
