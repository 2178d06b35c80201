"""A store for assistants: the Model Context Protocol over standard input and output. No socket is opened.

    plans     forgets that were shown and not done yet, each with its token
    tools     what an assistant can do: one table
    server    the protocol, by its official SDK

Needs the extra `edge-icl[mcp]`.
"""
