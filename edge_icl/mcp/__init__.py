"""A store for assistants: the Model Context Protocol over standard input and output. No socket is opened.

    frames    the messages that a client writes, a line each
    quoting   texts of examples as an assistant is shown them
    plans     forgets that were shown and not done yet, each with its token
    arguments what the tools are called with
    tools     what an assistant can do: one table
    server    the protocol, by its official SDK

May import all but cli. Needs the extra `edge-icl[mcp]`.
"""
