"""A directory that holds a set of examples and nothing else: no order, no history.

May import: errors, runtime, example, cluster. docs/format.md says the same for a reader in another language.

What a store is:

    layout       names that the manifest does not name
    settings     store.json: what the store was made with, written once
    trie         which page an example belongs to: a function of the set of ids
    pages        examples as canonical bytes
    manifest     the one file that names all others; its keyed digest is the root
    sealing      what the files of an encrypted store hold in place of their content
    keys         key: the data key that they are sealed with, wrapped with a passphrase

The file system:

    entries      the way to a file: through its directory, along no link
    wiping       zeros in place of what was there, then no file
    files        every operation on the file system that changes or reads a store
    os_errors    what the operating system refuses, as errors
    presence     whether a store is at a path
    ownership    no store that another user owns or may write to
    lock         one writer at a time
    scratch      a private folder for a text in the clear

Reading:

    blocks       the points of pages, passed over by the clustering
    page_cache   the pages that are in memory, and the reading of others
    snapshot     Snapshot: one state, read when asked for
    reading      StoreReader: reading without a lock

Changing:

    prefix_cache prefix KV states: derived, bound to the representatives
    drafts       what a killed `init` left
    compaction   a directory that has been larger, made anew
    recovery     finishing what a writer left that was cut off
    disk         Store: opening and making one
    rewrapping   another passphrase
    writer       Writer: one change, committed by one rename, then wiped

Checking:

    findings     what can be wrong with a store
    consistency  what a page and a clustering must hold
    inspection   the files of a store, looked at one by one
    audit        what `verify` reports and what the tests assert
"""
