"""A directory that holds a set of examples and nothing else: no order, no history.

May import: errors, runtime, example, cluster. docs/format.md describes the files for a reader in any language.

What a store is:

    layout       names that the manifest does not name
    settings     store.json: what the store was made with, written once
    trie         which page an example belongs to: a function of the set of ids
    pages        examples as canonical bytes
    manifest     the one file that names all others; its keyed digest, the root, is a fingerprint of the store
    sealing      what the files of an encrypted store hold in place of their content

The file system:

    entries      the way to a file: through its directory, never through a link
    files        every operation on the file system that changes or reads a store
    wiping       zeros in place of what was there, then no file
    os_errors    what the operating system refuses, as errors that say what to do next
    presence     whether a store is at a path
    ownership    stores that are not safe to use, such as one that another user may write to, are refused
    lock         one writer at a time
    scratch      a private folder for a text in the clear
    keys         key: the data key that seals them, wrapped with a passphrase

Reading:

    blocks       the points of pages, visited by the clustering
    page_cache   the pages that are in memory, and the reading of others
    consistency  whether the content of a page and of a clustering is right
    snapshot     Snapshot: one state, read when asked for
    reading      StoreReader: reading without a lock
    union        what another store holds that this one does not

Changing:

    prefix_cache prefix states: always safe to delete, valid for the same representatives only
    drafts       what a killed `init` left
    compaction   a directory that has been larger, made again
    recovery     finishing what an interrupted writer left
    disk         Store: opening and making one
    rewrapping   another passphrase
    spool        rows in any order and of any number, given back sorted
    plan         the state after a change, and its files
    writer       Writer: one change, committed by one rename, then wiped
    pending      a store that is made by its first change
    whole        a store as a whole: removed and wiped, or given another name

Checking:

    findings     what can be wrong with a store
    inspection   the files of a store, looked at one by one
    audit        what `verify` reports and what the tests assert
"""
