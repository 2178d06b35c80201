"""The way into a store, for `Memory`, the command line and `verify` alike.

May import: errors, runtime, example, store, results, search, models. Read in this order:

    paths         where a store is, given its name or its path
    home_files    the keys of a home: files that only this user can read
    cache_key     the key of this home, which authenticates cached states
    signing       the key of this home that signs receipts, and the check of a signature
    receipts      what a receipt says; signing one, and reading what others may have changed
    passphrases   from a passphrase or the keyring to the data key
    meant         which store may have been meant, where there is none of that name
    opening       what a store is made with, making it, and opening it
    filling       making a store with its examples: whole, or not at all
    mergeable     which stores can be merged, and why others cannot
    merging       a store and others, read together, and what becomes of them as one
    stores        which stores there are; removing one, and giving one another name
    temporary     a store that lasts as long as an object of a program
    verification  checking a store, and a receipt against it
"""
