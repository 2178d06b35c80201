"""One text to one int8 vector. May import: errors, runtime, store (settings), search (scripts).

Read in this order:

    languages whether texts are in a language that an encoder reads
    settings  what vectors depend on besides the encoder's files
    tokens  from a text to tokens: windows of long texts, and how much of a text is known
    network  one ONNX graph with its tokenizer
    encoder  one network or several side by side: a vector is a function of the text alone
    vector   a vector on its way from one store to another
"""
