"""The command line: `edge-icl`. May import everything else. Read in this order.

Text that goes out:

    tables       text laid out for a terminal
    spreadsheets cells that a spreadsheet would run
    clock, bars  times, and progress bars
    interrupts   Ctrl-C, `kill` and a closed terminal
    keyboard     lines that are typed at a terminal
    printing     the only module that prints
    output       results, notes, questions and errors

What comes in:

    encodings    what a file's text is encoded in
    utf8         whether it is UTF-8, whatever was said
    given        files that a command line names
    private      files that a command writes for its user
    stdin        texts that come from stdin
    commandline  a command line taken apart, and put together as it should be
    usage        what was probably meant by a wrong one
    formats      files of examples and questions: one module a format, one table of them
    lesson       what is taught
    options      options that several commands have
    teaching     from rows to examples
    constraints  a grammar or a JSON schema for the answer
    editor       a text in the user's own editor
    passphrases  where a passphrase comes from

A run of the program:

    session      the store it works on, and where its results go
    noticed      labels that look like others, and contradictions
    sight        what a store's encoder does not read, and which one does
    answers      an answer, and what it rests on
    questions    one question, or a file of them, answered
    surveys      what a file of questions has
    partial      the answers so far to a file of questions
    batches      a table of questions with their answers behind them
    labelled     labels of an earlier run, a thousand rows at a time
    labelled_parquet, labelled_text   the forms that they have
    staleness    such labels beside what the store says now
    several      several stores that one command works on
    request      what an `ask` asks, and where the answers to a file go
    fleet        options of commands whose work many processes can do
    runs, parts  a folder of labelled rows, and what a worker writes into it
    labelling    questions of files put to workers
    pool         the questions of a file, the most useful next
    typed, slips what a line means that is typed under an answer
    dialogue     what is shown of a question and its answer
    learning     question, answer, correction, and what the store learns from it
    preview      examples that are to be forgotten, before and after
    machine, checks, leftovers, inventory   what `status`, `doctor` and `models list` say
    shells, completion           what the shell completes
    receipts     receipts that a command is given
    wanted       which examples a command line means
    asking       options of commands that ask questions
    command      what every command shares: the global options
    program      finds a command, runs it, tells what went wrong; the table of commands
    commands     one module a command: parse, call the library, show
    main         where it begins: signals first, all else under their care
"""
