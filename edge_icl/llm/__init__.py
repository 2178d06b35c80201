"""The language model, over llama.cpp's low-level API: the only room that knows llama.cpp.

May import: errors, runtime, prompt. Read in this order:

    build           which llama.cpp, processor and GPU there are, as their files tell
    backends        the code for processors and GPUs, where a build has it in files apart
    native          llama.cpp itself, imported late and silent
    engine_options  how a model is to be run: context, layers on a GPU, threads
    vocabulary      text to tokens and back
    batch           the tokens of one call
    mapped          model files that are mapped into memory
    scheduling      which thread may use a model: in the order in which they asked
    context         llama.cpp's context, and one batch evaluated in it
    window          the tokens in its cache, laid out so that logits are repeatable
    model           weights, vocabulary and window
    label           a label as an answer: its tokens
    states          prefix states by name, in memory and on the disk
    prefix          examples that are evaluated once, and found again by their states
    score           how likely each label is

Forms that a written answer keeps to:

    characters      sets of characters, as GBNF writes them
    gbnf            the syntax of GBNF
    rules           the rules of a grammar, written out
    follow          where a text stands in a grammar, and what may follow
    patterns        regular expressions, as JSON writes the texts that match
    keywords        what a grammar keeps to of a JSON schema, and what it cannot
    alternatives    lists of types and `oneOf`, in keywords that a grammar keeps to
    schema          JSON schemas as grammars
    grammar         what `generate` is given

An answer, and the machine:

    generate        an answer, piece by piece
    selftest        whether this machine computes a model rightly
    trial           that test in a process of its own, which may end or hang
    requantize      the weights written in another quantization, in a process of its own, too

A second backend would be a second room. What an answer needs of this one is `Model.load`, `Vocabulary`,
`Prefixes`, `score_labels`, `score_apart` and `generate`; there the boundary is. No interface is written for it:
what makes answers exact, such as which tokens go into one call and where they lie in the cache, is llama.cpp's
own, so an interface with one backend behind it would be a guess.
"""
