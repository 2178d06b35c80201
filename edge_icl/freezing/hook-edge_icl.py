"""The library: its modules, which are loaded when they are first needed, and the licences of what it needs."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

from edge_icl.freezing import is_always_there

hiddenimports = collect_submodules("edge_icl", filter=is_always_there)

# Loaded late, by its name: PyInstaller's search through the code cannot see it.
hiddenimports += ["llama_cpp"]

# With the metadata come the licences, which have to be passed on with a program. onnxruntime's are elsewhere.
datas = copy_metadata("edge-icl", recursive=True)
datas += collect_data_files("onnxruntime", includes=["LICENSE", "ThirdPartyNotices.txt"])
