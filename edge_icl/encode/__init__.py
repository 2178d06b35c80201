"""One text to one int8 vector. May import: errors, runtime, store (its settings only).

Read in this order:

    settings  what vectors depend on besides the encoder's files
    network  one ONNX graph with its tokenizer: long texts in windows
    encoder  one network or several side by side: a vector is a function of the text alone
    vector   a vector on its way from one store to another
"""
