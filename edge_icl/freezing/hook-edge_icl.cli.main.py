"""The command line, for a program that has it inside: each command is loaded when it is called."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

hiddenimports = collect_submodules("edge_icl.cli")
datas = collect_data_files("edge_icl.cli.commands")
