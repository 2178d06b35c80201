"""Changes of an open store, each one commit: all of it is made, or nothing. `Memory` says what each does.

What is needed before the lock (vectors, checks of length) is made ready first; what depends on the examples is
decided on the snapshot under the lock, so that no change of another process comes between. Read in this order:

    adding       one example, or millions
    forgetting   by ids, or by what receipts name
    correcting   another text or label, and whether outputs are labels
    reencoding   a new store of the same examples, with another encoder
    merging      one store on several devices
"""
