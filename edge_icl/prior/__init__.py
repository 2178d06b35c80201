"""What a store's own examples say about a question's label, before any language model is asked.

May import: cluster, search. Read in this order:

    statistics    exact sums over the examples, which forget by subtraction
    discriminant  a linear discriminant (LDA) from these sums
    vote          the neighbours' vote
    opinion_pool  the opinions of several experts as one distribution, and how much to trust each
    likeness      whether a question is unlike everything that was taught
    left_out      how sure is sure enough, by examples that were left out
    leaving_out   what all others say about an example
    accuracy      how often they are right, and which labels they mix up
    mislabelled   which examples probably have a wrong label
    fitted        the prior of one snapshot; all its choices are made on the store's own examples, each left out
    evidence      what the language model adds

Everything is a function of the set of examples and their vectors; nothing looks at a question's true answer.
"""
