# SPDX-License-Identifier: Apache-2.0
"""Copy the pages of the documentation site to build/site-pages, from where `make docs` builds it.

    python scripts/stage_site.py

These are the Markdown pages of the repository and every file that they show or link to, each under
its own path, so that a link works on the site as in the repository. The pages of docs/site/,
which only the site has, come to the top.
"""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build/site-pages"
SITE = ROOT / "docs/site"
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)")  # not to a web address
SHOWN = ROOT / "runtime/include"  # the page of the C interface shows these headers


def main() -> None:
    """Make the folder anew."""
    listed = ["git", "ls-files", "*.md", ":!docs/site"]
    names = subprocess.run(listed, cwd=ROOT, check=True, text=True, capture_output=True).stdout
    pages = [ROOT / name for name in names.splitlines()]
    linked = {
        (page.parent / target).resolve()
        for page in pages
        for target in LINK.findall(page.read_text())
    }
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(SITE, PAGES)
    for path in {*pages, *SHOWN.glob("*.h*"), *(path for path in linked if path.is_file())}:
        copy = PAGES / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


if __name__ == "__main__":
    main()
