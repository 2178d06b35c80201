"""The command line: `edge-icl`.

`main` finds the command and turns errors into exit codes; `session` carries what every command shares; each
`cmd_*` module is one command: parse, call the library, show. `output` is the only module that prints, `tables`
lays text out, `rows` reads files of examples and questions.
"""
