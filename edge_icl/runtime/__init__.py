"""What a process has and shares: processors, threads, signals, children, models. May import: errors.

Read in this order:

    progress       how far work has come: a callback
    home           the folder of this user's models and stores
    strict_json    JSON of our own, read back strictly
    cores          how many processors this process may use
    threads        work on many things by several threads
    fork           what begins again in a process that was forked
    interruptible  work in C code that Ctrl-C ends, and that leaves nothing half done
    child          another process of this Python, for what may end or hang it
    cancel         stopping a question from another thread
    lifetime       what is at work in an open store, so that closing it can stop that
    shared         models that several open stores use at once
"""
