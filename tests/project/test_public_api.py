"""What `import edge_icl` gives is exactly what is documented, and every error has its one root."""

from __future__ import annotations

import inspect

import edge_icl
from edge_icl import errors


def test_all_is_sorted_and_exact() -> None:
    loaded = {name: getattr(edge_icl, name) for name in dir(edge_icl)}
    public = {name for name, value in loaded.items() if not name.startswith("_") and _is_ours(value)}

    assert edge_icl.__all__ == sorted(public)


def _is_ours(value: object) -> bool:
    kind = inspect.isclass(value) or inspect.isfunction(value)
    return kind and value.__module__.startswith("edge_icl.")


def test_every_error_is_exported_and_drawn_in_the_tree() -> None:
    classes = [value for value in vars(errors).values() if inspect.isclass(value)]

    for error in classes:
        assert issubclass(error, edge_icl.EdgeIclError)
        assert error.__name__ in edge_icl.__all__
        assert error.__name__ in errors.__doc__


def test_every_public_method_is_documented() -> None:
    for name in edge_icl.__all__:
        found = getattr(edge_icl, name)
        assert found.__doc__, name
        for attribute, value in inspect.getmembers(found, callable):
            if not attribute.startswith("_"):
                assert inspect.getdoc(value), f"{name}.{attribute}"


def test_an_error_reads_as_one_sentence() -> None:
    assert str(edge_icl.InputError("the input is empty", "give it some text")) == (
        "the input is empty; give it some text"
    )
    assert str(edge_icl.InputError("the input is empty")) == "the input is empty"
