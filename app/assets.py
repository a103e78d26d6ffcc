"""One stylesheet and one script for every page, named by their content and compressed once.

The bundles are put together from FAB's files and ours when the application starts and their
content has changed; WhiteNoise serves them with a year of caching.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import brotli
import flask_appbuilder

URL_PREFIX: Final = "/assets/"
_OURS: Final = Path(__file__).parent / "static"
_FAB: Final = Path(flask_appbuilder.__file__).parent / "static" / "appbuilder"

#: What each asset is made of, in order. The first page needs app.css, app.js and icons.svg only.
BUNDLES: Final[Mapping[str, Sequence[Path]]] = {
    "app.css": (
        _FAB / "css" / "bootstrap.min.css",
        _FAB / "css" / "select2" / "select2.min.css",
        _FAB / "css" / "select2" / "select2-bootstrap.min.css",
        *(
            _OURS / "css" / f"{name}.css"
            for name in (
                "tokens",
                "base",
                "layout",
                "find",
                "forms",
                "tables",
                "components",
                "pages",
                "signin",
                "documents",
                "import",
                "messages",
                "desk",
                "papers",
                "printing",
                "signing",
                "living",
                "reports",
                "print",
            )
        ),
    ),
    "app.js": (
        _FAB / "js" / "jquery-latest.js",
        _FAB / "js" / "bootstrap.min.js",
        _FAB / "js" / "select2" / "select2.min.js",
        *(
            _OURS / "js" / f"{name}.js"
            for name in (
                "base",
                "session",
                "find",
                "list",
                "forms",
                "cases",
                "preview",
                "signing",
                "parcels",
                "messages",
                "reports",
            )
        ),
    ),
    "charts.js": (
        _OURS / "vendor" / "echarts" / "echarts.min.js",
        _OURS / "js" / "charts.js",
    ),
    "living.js": (_OURS / "js" / "living.js",),
    # The dispatch desk alone; the camera's reader is fetched when somebody wants it.
    "desk.js": (_OURS / "js" / "desk.js",),
    "scan.js": (_OURS / "vendor" / "zxing-wasm" / "reader.min.js",),
    "zxing_reader.wasm": (_OURS / "vendor" / "zxing-wasm" / "zxing_reader.wasm",),
    # The public check page: no framework, no script.
    "check.css": tuple(
        _OURS / "css" / f"{name}.css"
        for name in ("tokens", "base", "layout", "forms", "components", "check")
    ),
    "icons.svg": (_OURS / "vendor" / "lucide" / "icons.svg",),
    "logo.svg": (_OURS / "img" / "logo.svg",),
    "favicon.svg": (_OURS / "img" / "favicon.svg",),
}
#: Where the makers' readable sources would lie; they are not served.
_SOURCE_MAP: Final = re.compile(rb"/[/*][#@] ?sourceMappingURL=[^\n*]*(\*/)?")
_JOIN: Final = {".js": b"\n;\n", ".css": b"\n", ".svg": b"", ".wasm": b""}


def build_assets(folder: Path) -> dict[str, str]:
    """Write the bundles whose content changed and answer the URL of each.

    Several servers may start at once: each file appears whole, by a rename.
    """
    folder.mkdir(parents=True, exist_ok=True)
    urls: dict[str, str] = {}
    for name, parts in BUNDLES.items():
        suffix = Path(name).suffix
        content = _JOIN[suffix].join(part.read_bytes() for part in parts if part.exists())
        content = _SOURCE_MAP.sub(b"", content)
        digest = hashlib.sha256(content).hexdigest()[:16]
        target = folder / f"{Path(name).stem}.{digest}{suffix}"
        if not target.with_name(target.name + ".br").exists():
            _write(target, content)
            _write(target.with_name(target.name + ".gz"), gzip.compress(content, 9, mtime=0))
            _write(target.with_name(target.name + ".br"), brotli.compress(content, quality=9))
        urls[name] = URL_PREFIX + target.name
    return urls


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(content)
    os.replace(draft, path)
