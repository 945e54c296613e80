"""One wire format each: pure translation between our values and an API's JSON.

Nothing is imported here: `providers.wire_for` loads the wires that are used, and a process that calls none loads none.
"""
