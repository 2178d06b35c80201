"""From a question to an answer, at one state of a store. May import every other room but mcp and cli.

Read in this order:

    options         how to ask
    selection       which examples are shown: pure functions, in one table
    lengths         whether an example has room in a prompt
    derived         what is derived from one snapshot: points, outputs, sums, prior
    calibration     the model's score of a label after texts that ask nothing
    judging         which label is right: prior and evidence, weighed
    reply           an answer in the making
    asking          one question to one snapshot: select, make the prompt, judge or write
    engines         the encoder and the model of an open store
    snapshot_cache  what is kept of the present snapshot, and dropped with it
    open_store      a store with its models, from opening to closing
    questions       a question to an open store, asked again if it changes meanwhile
"""
