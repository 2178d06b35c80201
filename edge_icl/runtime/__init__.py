"""What a process has and shares: processors, threads, signals, children, models. May import: errors.

Read in this order:

    progress       how far work has come: a callback
    late           names of a package that are loaded when they are first asked for
    arguments      what callers pass: one sentence where it is wrong
    home           the folder of this user's models and stores
    folders        the size of a folder, and one that only this user can enter
    strict_json    JSON that this package wrote, read back strictly
    cores          how many processors this process may use
    threads        the one way to work on many things with several threads
    fork           what starts again in a process that was forked
    blas           one thread for numpy's products, where more are slower
    interruptible  work in C code that Ctrl-C ends, and that leaves nothing half done
    child          a child process of this Python, for work that may crash a process or never end
    bound          what belongs to one process, and is neither pickled nor copied
    cancel         stopping a question from another thread
    lifetime       what is at work in an open store, so that closing it can stop that
    shared         models that several open stores use at once
"""
