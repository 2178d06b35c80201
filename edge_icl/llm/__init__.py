"""The language model, over llama.cpp's low-level API. Read in this order.

- build: which llama.cpp, processor and GPU there are, told by their files
- native: the way into llama.cpp, imported late and silent
- vocabulary: text to tokens and back
- batch: the tokens of one call
- window: the context and its cache, and the layout that makes logits repeatable
- model: weights, vocabulary and window
- prefix: examples that are evaluated once, their states in memory and on the disk
- score: how likely each label is
- gbnf, schema, grammar: forms that a written answer keeps to
- generate: an answer, piece by piece
- selftest: whether this machine computes a model rightly
- trial: that test in a process of its own, which may end or hang
"""
