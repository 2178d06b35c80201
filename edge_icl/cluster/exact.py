"""Whole numbers in float32: when sums of products of int8 numbers are exact.

float32 has a fraction of 24 bits, so it holds every whole number up to 2^24. A sum of whole numbers is exact in
it if no partial sum can be larger: then neither the order, nor the number of threads, nor the kind of processor
changes a bit. A product of two int8 numbers is at most 128² = 2^14, so a sum of 2^10 such products is exact.
"""

from __future__ import annotations

FLOAT32_EXACT = 1 << 24
"""Whole numbers up to this size, and so their sums and products below it, are exact in float32."""

LONGEST = 128
"""The largest component of an int8 vector."""

EXACT_PRODUCTS = FLOAT32_EXACT // LONGEST**2
"""Most products of two int8 numbers whose sum is exact in float32, in any order."""
