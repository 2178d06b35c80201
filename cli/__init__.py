"""The command line: `edge-icl`. May import everything else.

The program, in this order:

    main         where it begins: signals first, all else under their care
    interrupts   Ctrl-C, `kill` and a closed terminal
    program      finds a command, runs it, tells what went wrong; the table of commands
    session      one run: the store it works on, and where its results go
    command      what every command shares: the global options
    commands     one module a command: parse, call the library, show

What is shown, and where it goes:

    tables       text laid out for a terminal
    spreadsheets cells that a spreadsheet would run
    output       the only module that prints
    preview      examples that are to be forgotten, before and after
    bars, clock  progress bars, and times
    questions    one question, or a file of them, answered
    answers      an answer, and what it rests on
    machine, checks, leftovers   what `status` and `doctor` say
    private      files that a command writes for its user

What comes in:

    wanted       which examples a command line means
    given        files that a command line names
    passphrases  where a passphrase comes from
    formats      files of examples and questions: one module a format, one table of them
    teaching     from rows to examples
    constraints  a grammar or a JSON schema for the answer
    editor       a text in the user's own editor
    completion, shells   what the shell completes
"""
