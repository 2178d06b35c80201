"""The way into a store, for `Memory`, the command line and `verify` alike.

May import: errors, runtime, example, store, results, search, models. Read in this order:

    paths         where a store is, given its name or its path
    cache_key     the key of this home, which authenticates cached states
    passphrases   from a passphrase or the keyring to the data key
    opening       what a store is made with, and making it
    meant         which store may have been meant, where there is none of that name
    filling       making a store with its examples: whole, or not at all
    stores        which stores there are; removing one, and giving one another name
    temporary     a store that lasts as long as an object of a program
    verification  checking a store, and a receipt against it
"""
