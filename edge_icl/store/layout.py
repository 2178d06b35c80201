"""Names in a store that the manifest does not name."""

DIRECTORIES = ("pages", "clustering", "cache")

DRAFT = "manifest.new"
"""The next manifest, until it is renamed."""

REBUILD = "rebuild"
"""Where a deep audit makes the store again, to compare the files."""
