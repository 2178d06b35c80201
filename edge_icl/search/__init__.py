"""Which examples are near a text, or hold it. May import: errors, runtime, example, cluster, store, results.

Read in this order:

    similarity  exact nearest neighbours over int8 vectors
    neighbours  the nearest others of many examples at once
    matching    text as a person reads it, whatever its case, width and white space
    spelling    labels that are probably one label written in two ways
    filters     which examples fit what is said of them
    finding     examples of one snapshot: the nearest, those that fit
    scripts     what an encoder reads, told from a text's characters alone
    near_copies examples whose inputs say nearly the same
"""
