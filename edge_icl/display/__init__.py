"""Texts as they are shown: with escapes for what cannot be seen, and as HTML that runs nothing of its own.

May import: errors, runtime. Read in this order:

    unseen   what cannot be seen in a text, and escapes for it
    markup   texts as HTML that shows and runs nothing of its own
    tables   what a notebook shows of a result: small tables
"""
