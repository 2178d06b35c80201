"""Where things lie in a store, beside what the manifest names."""

DIRECTORIES = ("pages", "clustering", "cache")

DRAFT = "manifest.new"
"""The next manifest, until it is renamed."""

REBUILD = "rebuild"
"""Where a deep audit makes the store anew, beside the files that it compares with."""
