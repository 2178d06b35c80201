"""Examples and a question as the text that a model completes. May import: errors, runtime, example.

Read in this order:

    prompt    plain lines of text, and what has room in the context
    template  a model's own chat template, rendered in a process of its own
    chat      turns of a chat, cut at its texts so that the prefix can be kept
    conversation  a conversation without examples, cut in the same way
"""
