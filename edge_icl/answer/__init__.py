"""From a question to an answer, at one state of a store. May import every other room but mcp and cli.

Read in this order:

    options         how to ask
    selection       which examples are shown: pure functions, in one table
    lengths         whether an example has room in a prompt
    labels          whether a store's outputs are labels or free text
    derived         what is derived from one snapshot: points, outputs, sums, prior
    recall          the examples whose input is the question itself
    behind          the examples behind an answer: shown to the model, or nearest to the question
    calibration     the model's score of a label after texts that ask nothing
    judging         which label is right: prior and evidence, weighed
    prompting       the model beside one snapshot: prompts that fit it, prefixes that it has evaluated
    reply           an answer in the making
    certainty       a probability in words
    asking          one question to one snapshot: recall it, judge labels, or let the model write
    engines         the encoder and the model of an open store
    alone           a model without examples, that goes on with a conversation
    suspect         examples that are possibly mislabelled
    check           what is found of how good a store is: records
    snapshot_cache  what is kept of the present snapshot, and dropped with it
    open_store      a store with its models, from opening to closing
    in_turn         examples left out in turn; whether another encoder would judge them better
    legible         how many inputs are in a language that the encoder does not read
    checking        how good a store is: each example judged by all others
    questions       questions to an open store, asked again if it changes meanwhile
    showing         the examples that a prompt would show, for prompts that others write
    usefulness      which questions teach most: a pure function of what the prior says and of vectors
    suggesting      the same for an open store
"""
