"""A directory that holds a set of examples and nothing else: no order, no history.

Read in this order:

    settings   store.json: what the store was made with, written once
    trie       which page an example belongs to: a function of the set of ids
    pages      examples as canonical bytes
    manifest   the one file that names all others; its keyed digest is the root
    sealing    what the files of an encrypted store hold in place of their content
    keys       key: the data key that they are sealed with, wrapped with a passphrase
    files      every operation on the file system that changes or reads a store
    layout     where things lie that the manifest does not name
    refusals   what the operating system refuses, as errors
    guard      no store that somebody else owns or may write to
    lock       one writer at a time
    threads    work on many pages by several threads
    blocks     the points of pages, passed over by the clustering
    shelf      the pages that are in memory, and the reading of others
    snapshot   Snapshot: one state, read when asked for
    disk       Store: opening, making and reading without a lock
    recovery   finishing what a writer left that was cut off
    compaction a directory that has been larger, made anew
    writer     Writer: one change, committed by one rename, then wiped
    cache      prefix KV states: derived, bound to the representatives
    findings   what can be wrong with a store
    consistency what a page and a clustering must hold
    audit      looks for it: what `verify` reports and what the tests assert

docs/format.md says the same for a reader in another language.
"""
