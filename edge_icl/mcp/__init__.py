"""A store for assistants: the Model Context Protocol over standard input and output. No socket is opened.

    frames    the messages that a client writes, a line each
    quoting   texts of examples as an assistant is shown them
    advice    what went wrong, with hints that name tools
    plans     changes that were shown and not made yet, each with its token
    arguments what the tools are called with
    returned  what they return
    desk      the store, opened when it is first needed
    wording   examples in lines, and how much of them one result may hold
    reading   the tools that look: ask, search, list, labels, status
    checking  the tool that says how good the store is
    changing  the tools that change it: add, fix and forget, with their dry runs
    tools     what an assistant can do: one table
    server    the protocol, by its official SDK

May import all but cli. Needs the extra `edge-icl[mcp]`.
"""
