"""How llama-cpp-python is built for other machines than this one: options, edits, what a wheel must hold.

Functions and tables; `wheels.py` does what they say.
"""

from __future__ import annotations

import html
import re
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = "llama_cpp/lib"

OPTIONS = {
    "BUILD_SHARED_LIBS": "ON",
    "GGML_NATIVE": "OFF",  # nothing that only this machine's processor can run
    "GGML_BACKEND_DL": "ON",
    "GGML_CPU_ALL_VARIANTS": "ON",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_SERVER": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_TOOLS": "OFF",
    "LLAVA_BUILD": "OFF",  # images and sound, which edge-icl does not read
    "CMAKE_INSTALL_BINDIR": LIBRARIES,  # where CMake puts the variants
    "CMAKE_INSTALL_LIBDIR": LIBRARIES,
    "CMAKE_INSTALL_RPATH": "@loader_path" if sys.platform == "darwin" else "$ORIGIN",
    "CMAKE_PLATFORM_NO_VERSIONED_SONAME": "ON",  # a zip has no links: each library would be in it three times
}
"""What CMake is told."""

EXCLUDED = ("include/**", f"{LIBRARIES}/cmake/**", f"{LIBRARIES}/pkgconfig/**")
"""What the wheel does not need at run time."""

LICENSES = ("LICENSE.md", "vendor/llama.cpp/LICENSE")
"""MIT, both; each wants to be in every copy."""

_REGISTRY = "vendor/llama.cpp/ggml/src/ggml-backend-reg.cpp"
_OWN_FOLDER = """\
static fs::path get_library_folder() {
#ifdef _WIN32
    HMODULE module = NULL;
    const DWORD how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    GGML_ASSERT(GetModuleHandleExW(how, (LPCWSTR) &ggml_backend_load_all, &module));
    std::vector<wchar_t> path(1 << 15);
    GGML_ASSERT(GetModuleFileNameW(module, path.data(), (DWORD) path.size()) > 0);
    return fs::path(path.data()).parent_path();
#else
    Dl_info info;
    GGML_ASSERT(dladdr((const void *) &ggml_backend_load_all, &info) != 0);
    return fs::path(info.dli_fname).parent_path();
#endif
}

"""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file.

    Attributes:
        file: which, below the source's folder.
        old: a text that is in it once.
        new: what takes its place.
    """

    file: str
    old: str
    new: str


EDITS = (
    # llama.cpp looks for backends in the folder of the program, which is Python's, and in the working
    # directory, where others may have put a library. They lie beside libggml.
    Edit(
        _REGISTRY,
        "static fs::path backend_filename_prefix() {",
        _OWN_FOLDER + "static fs::path backend_filename_prefix() {",
    ),
    Edit(
        _REGISTRY,
        "search_paths.push_back(get_executable_path());",
        "search_paths.push_back(get_library_folder());",
    ),
    Edit(
        _REGISTRY,
        "            search_paths.push_back(cwd);\n",
        "            GGML_UNUSED(get_executable_path);\n",
    ),
    # Its kernels for AMX have computed wrongly (docs/guarantee.md). What has AMX takes the variant for zen4.
    Edit(
        "vendor/llama.cpp/ggml/src/CMakeLists.txt",
        "            ggml_add_cpu_backend_variant(sapphirerapids SSE42 AVX F16C FMA AVX2 BMI2 AVX512 "
        "AVX512_VBMI AVX512_VNNI AVX512_BF16 AMX_TILE AMX_INT8)\n",
        "",
    ),
    # A library for llama.cpp's own programs, which are not built.
    Edit("CMakeLists.txt", "set(LLAMA_BUILD_COMMON ON CACHE", "set(LLAMA_BUILD_COMMON OFF CACHE"),
)
"""What is changed in the source of llama-cpp-python 0.3.36."""

REQUIREMENT = re.compile(r'"(llama-cpp-python==[0-9.]+)"')
NEEDED = ("libllama", "libggml", "libggml-base")
_LIBRARY = re.compile(r"((?:lib)?(?:llama|ggml)[\w.-]*?)\.(?:so|dylib|dll)")
_VARIANT = re.compile(r"(?:lib)?ggml-cpu-(.+)")


def requirement(pyproject: str) -> str:
    """Return the version of llama-cpp-python that edge-icl asks for, such as "llama-cpp-python==1.0".

    Raises:
        ValueError: it asks for none, or for more than one.
    """
    found = REQUIREMENT.findall(pyproject)
    if len(found) != 1:
        raise ValueError("pyproject.toml does not pin one version of llama-cpp-python")
    return str(found[0])


def edit(source: Path) -> None:
    """Change the source in a folder as `EDITS` says.

    Raises:
        ValueError: a text is not there once, as in another version of it.
    """
    for one in EDITS:
        path = source / one.file
        text = path.read_text(encoding="utf-8")
        if text.count(one.old) != 1:
            raise ValueError(f"{one.file} is not as the recipe expects: {one.old.strip().splitlines()[0]}")
        path.write_text(text.replace(one.old, one.new), encoding="utf-8")


def settings(source: Path) -> list[str]:
    """Return pip's arguments for all of this; gcc and clang keep no path of this machine."""
    mapped = f"-ffile-prefix-map={source}=."
    flags = {} if sys.platform == "win32" else {"CMAKE_C_FLAGS": mapped, "CMAKE_CXX_FLAGS": mapped}
    words = [f"cmake.define.{name}={value}" for name, value in (OPTIONS | flags).items()]
    words += [f"wheel.exclude={';'.join(EXCLUDED)}", f"wheel.license-files={';'.join(LICENSES)}"]
    return [f"--config-settings={word}" for word in words]


def variants(wheel: Path) -> list[str]:
    """Return the variants for the CPU in a wheel, sorted."""
    matches = [_VARIANT.fullmatch(name) for name in _libraries(wheel)]
    return sorted(match[1] for match in matches if match)


def faults(wheel: Path) -> list[str]:
    """Return what is wrong with a wheel of llama-cpp-python, one sentence each."""
    held = _libraries(wheel)
    found = [
        f"{name} is not in it" for name in NEEDED if name not in held and name.removeprefix("lib") not in held
    ]
    found += [f"{name} is in it twice" for name in sorted(set(held)) if held.count(name) > 1]
    if not variants(wheel):
        found.append("it has no variants for the CPU")
    if wheel.name.endswith("-linux_x86_64.whl"):
        found.append("its tag does not say which glibc it needs")
    return found


def _libraries(wheel: Path) -> list[str]:
    """Return the names of llama.cpp's shared libraries in a wheel, without what follows the first dot."""
    with zipfile.ZipFile(wheel) as archive:
        matches = [_LIBRARY.match(name.rpartition("/")[2]) for name in archive.namelist()]
    return [match[1] for match in matches if match]


def page(files: dict[str, str], *, address: str = "") -> str:
    """Return an HTML page that pip, pipx and uv take with --find-links.

    Args:
        files: name of a file -> its SHA-256, which they compare.
        address: of the folder that the files are in, with a slash at its end; empty for that of the page.
    """
    links = [
        f'<a href="{html.escape(address + name)}#sha256={digest}">{html.escape(name)}</a><br>'
        for name, digest in sorted(files.items())
    ]
    return "\n".join(["<!doctype html>", "<title>edge-icl: wheels</title>", *links, ""])
