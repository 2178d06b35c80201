"""One text to one int8 vector. May import: errors, runtime, store (its settings only).

Read in this order:

    settings  what vectors depend on besides the encoder's files
    encoder  the ONNX encoder: a vector is a function of the text alone
    vector   a vector on its way from one store to another
"""
