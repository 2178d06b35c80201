"""Models on this machine: what can be fetched, what is here, and how it got here.

Read `home` (where), `catalogue` (the names), `location` (what is here), then `fetch` and `importing` (how more
comes), which both end in `install`. `hub` and `wheel` are the only code that opens a connection, and only
`fetch` calls them. `convert` and `bert` make the 8-bit encoder; `gguf` tells whether an LLM's file is whole;
`record` is what is known of an installed model.
"""
