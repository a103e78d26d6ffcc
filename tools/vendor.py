"""Bring the vendored front-end files up to date from the npm registry, and list their sums.

    python tools/vendor.py [echarts] [axe-core] [lucide] [zxing-wasm]      default: all of them

Needs Node.js and npm; nobody else does, because what this writes is committed. Each package is
fetched with `npm pack`, without running any of its scripts. Versions stand in PACKAGES.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "vendor"
STATIC = ROOT / "app" / "static" / "vendor"
SUPPORT = ROOT / "tests" / "support"
LISTING = STATIC / "vendor.json"

PACKAGES = {
    "echarts": ["echarts@6.1.0", "zrender@6.1.0", "tslib@2.3.0", "esbuild@0.28.2"],
    "axe-core": ["axe-core@4.14.1"],
    "lucide": ["lucide-static@1.62.0"],
    "zxing-wasm": ["zxing-wasm@3.1.4"],
}
ESBUILD_NATIVE = {"linux": "@esbuild/linux-x64@0.28.2", "darwin": "@esbuild/darwin-arm64@0.28.2"}


def run(*command: str, cwd: Path) -> str:
    """Run a command and return what it printed; its failure ends the tool."""
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def fetch(spec: str, modules: Path) -> Path:
    """Unpack one package, `name@version`, into `modules/name` without running its scripts."""
    name = spec.rpartition("@")[0]
    target = modules / name
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        run("npm", "pack", "--silent", "--ignore-scripts", spec, cwd=Path(folder))
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        shutil.copytree(Path(folder) / "package", target, dirs_exist_ok=True)
    return target


def put(source: Path, target: Path) -> Path:
    """Copy a file with Unix line ends, making its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes().replace(b"\r\n", b"\n"))
    return target


def build_echarts(work: Path) -> list[Path]:
    """Bundle the charts of tools/vendor/echarts.entry.mjs as one minified script."""
    modules = work / "node_modules"
    for spec in [*PACKAGES["echarts"], ESBUILD_NATIVE[sys.platform]]:
        fetch(spec, modules)
    for source in SOURCES.glob("echarts.*.mjs"):
        shutil.copy(source, work)
    # The registry's archive does not keep the executable bit.
    native = next((modules / "@esbuild").iterdir()) / "bin" / "esbuild"
    native.chmod(0o755)
    folder = STATIC / "echarts"
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / "echarts.min.js"
    run(
        str(native),
        "echarts.entry.mjs",
        "--bundle",
        "--minify",
        "--format=iife",
        "--global-name=echarts",
        "--target=es2019",
        "--legal-comments=none",
        '--define:process.env.NODE_ENV="production"',
        "--banner:js=/*! Apache ECharts 6.1.0 (Apache-2.0) with ZRender 6.1.0 (BSD-3-Clause),"
        " custom build */",
        # The script is strict: `var echarts` alone would not be a property of window in a module.
        "--footer:js=window.echarts=echarts;",
        f"--outfile={bundle}",
        cwd=work,
    )
    return [
        bundle,
        put(modules / "echarts" / "LICENSE", folder / "LICENSE"),
        put(modules / "echarts" / "NOTICE", folder / "NOTICE"),
        put(modules / "zrender" / "LICENSE", folder / "LICENSE.zrender"),
    ]


def build_axe(work: Path) -> list[Path]:
    """Copy the minified accessibility checker for the browser tests."""
    package = fetch(PACKAGES["axe-core"][0], work / "node_modules")
    return [
        put(package / "axe.min.js", SUPPORT / "axe.min.js"),
        put(package / "LICENSE", SUPPORT / "axe.LICENSE"),
    ]


def build_lucide(work: Path) -> list[Path]:
    """Merge the icons named in tools/vendor/lucide.txt into one sprite of symbols."""
    package = fetch(PACKAGES["lucide"][0], work / "node_modules")
    names = sorted(set((SOURCES / "lucide.txt").read_text(encoding="utf-8").split()))
    symbols = []
    for name in names:
        text = (package / "icons" / f"{name}.svg").read_text(encoding="utf-8")
        match = re.search(r"<svg[^>]*>(.*)</svg>", text, re.DOTALL)
        if match is None:
            sys.exit(f"lucide: {name}.svg is not as expected")
        body = re.sub(r"\s*\n\s*", "", match[1]).replace(" />", "/>")
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
            ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
            f"{body}</symbol>"
        )
    folder = STATIC / "lucide"
    folder.mkdir(parents=True, exist_ok=True)
    sprite = folder / "icons.svg"
    sprite.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg">\n'
        "<!-- Lucide icons 1.62.0, ISC and (Feather's) MIT licence: see LICENSE -->\n"
        + "\n".join(symbols)
        + "\n</svg>\n",
        encoding="utf-8",
        newline="\n",
    )
    return [sprite, put(package / "LICENSE", folder / "LICENSE")]


def build_zxing(work: Path) -> list[Path]:
    """Copy the reader of barcodes and QR codes: a script and what it runs as WebAssembly."""
    package = fetch(PACKAGES["zxing-wasm"][0], work / "node_modules")
    folder = STATIC / "zxing-wasm"
    reader = put(package / "dist" / "iife" / "reader" / "index.js", folder / "reader.min.js")
    program = folder / "zxing_reader.wasm"
    shutil.copyfile(package / "dist" / "reader" / program.name, program)
    return [
        reader,
        program,
        put(package / "LICENSE", folder / "LICENSE"),
        put(SOURCES / "zxing-cpp.LICENSE", folder / "LICENSE.zxing-cpp"),
    ]


BUILDERS = {
    "echarts": (build_echarts, "Apache-2.0", "https://echarts.apache.org"),
    "axe-core": (build_axe, "MPL-2.0", "https://github.com/dequelabs/axe-core"),
    "lucide": (build_lucide, "ISC", "https://lucide.dev"),
    # The wrapper is MIT, ZXing-C++ inside it Apache-2.0.
    "zxing-wasm": (build_zxing, "MIT AND Apache-2.0", "https://github.com/Sec-ant/zxing-wasm"),
}


def main(wanted: list[str]) -> None:
    """Build what is asked for and write vendor.json, which tests/unit/test_vendor.py verifies."""
    listing = json.loads(LISTING.read_text(encoding="utf-8")) if LISTING.exists() else {}
    for name in wanted or list(BUILDERS):
        build, licence, home = BUILDERS[name]
        with tempfile.TemporaryDirectory() as folder:
            files = build(Path(folder))
        listing[name] = {
            "version": PACKAGES[name][0].rpartition("@")[2],
            "licence": licence,
            "home": home,
            "files": {
                path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in files
            },
        }
        print(f"{name}: {', '.join(path.name for path in files)}")
    text = json.dumps(dict(sorted(listing.items())), indent=2) + "\n"
    LISTING.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
