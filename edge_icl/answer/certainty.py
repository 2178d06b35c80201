"""A probability in words, for those who read an answer and not a number.

The words and their bounds are those of the IPCC (Mastrandrea et al. 2010, "Guidance Note for Lead Authors of
the IPCC Fifth Assessment Report on Consistent Treatment of Uncertainties", table 1); "almost certain" is its
"virtually certain". People read words alone differently, so the number always stands beside them.
"""

from __future__ import annotations

WORDS = (
    (0.99, "almost certain"),
    (0.90, "very likely"),
    (0.66, "likely"),
    (0.33, "about as likely as not"),
    (0.0, "unlikely"),
)
"""Each with the probability from which it holds."""


def in_words(probability: float) -> str:
    """Return what a probability from 0 to 1 is called.

    >>> in_words(0.74)
    'likely'
    """
    return next(words for least, words in WORDS if probability >= least)
