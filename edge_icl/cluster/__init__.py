"""Quantized k-means, exact and canonical: the clustering is a function of the seed and the set of examples.

Read in this order:

    randomness    every random number, from the seed through SHAKE-256
    points        ids and vectors, whole or block by block
    exact         when sums of int8 products are exact in float32
    distances     squared distances, exact, through floating-point products
    sampling      one weighted draw, as the first arrival of exponential clocks
    seeding       the first centroids (k-means++), one draw for each
    lattice       rounding a mean to the lattice, in integers
    kmeans        start, iterate, finish; like a textbook
    certificate   what a change to the set does to the clustering, without running it again
    record        a clustering as canonical bytes

Nothing here reads a file. The method is ERASE (arXiv 2402.00751) on the quantized k-means of Ginart et al.
(arXiv 1907.05012, algorithm 2); where they prove equality in distribution, this is equality of bytes.
"""
