"""diskcache, which llama-cpp-python imports: its part for Django would bring Django."""

excludedimports = ["django"]
