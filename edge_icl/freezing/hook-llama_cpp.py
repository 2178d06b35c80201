"""llama.cpp: shared libraries in a folder of the package, which it opens by their paths.

Those that the libraries themselves need are found beside them. Others are opened when the program runs: one for
each kind of processor, or for a GPU, where llama.cpp was built so.
"""

from PyInstaller.utils.hooks import collect_data_files, collect_dynamic_libs

binaries = collect_dynamic_libs("llama_cpp", search_patterns=["*.so", "*.dylib", "*.dll", "*.metal"])

# Its version is read from this file, since to import it takes a third of a second.
datas = collect_data_files("llama_cpp", include_py_files=True, includes=["__init__.py"])

# What it can do with these is not needed here; where they happen to be installed they would come along, by the
# gigabyte.
excludedimports = ["huggingface_hub", "openai", "requests", "transformers"]
