# SPDX-License-Identifier: Apache-2.0
"""CMSIS-Pack: a .pdsc, from which packchk and packagers make a pack for Keil and csolution."""

from xml.etree import ElementTree

from stridepack.files.runtime.library import SUMMARY, Files, Library

NEXT_STEP = (
    "Register the directory with `cpackget add stridepack.stridepack.pdsc`, or make a pack of it "
    "with packchk and zip."
)

GUIDE = """\
## Compile it with Keil or csolution

Register this directory with `cpackget add stridepack.stridepack.pdsc`, or make a pack of it with
packchk and zip. Then take the component:

```yaml
packs:
  - pack: stridepack::stridepack
components:
  - component: Machine Learning:stridepack
define:
  - SPK_WITHOUT_@FORMAT@   # leaves a decoder out
```
"""


def arrange(library: Library) -> Files:
    """Add stridepack.stridepack.pdsc: one component with all sources."""
    package = ElementTree.Element(
        "package",
        {
            "schemaVersion": "1.7.36",
            "xmlns:xs": "http://www.w3.org/2001/XMLSchema-instance",
            "xs:noNamespaceSchemaLocation": "PACK.xsd",
        },
    )

    def add(
        parent: ElementTree.Element, tag: str, text: str = "", **attributes: str
    ) -> ElementTree.Element:
        child = ElementTree.SubElement(parent, tag, attributes)
        child.text = text or None
        return child

    add(package, "vendor", "stridepack")
    add(package, "name", "stridepack")
    add(package, "description", f"{SUMMARY}.")
    add(package, "url", "https://pypi.org/project/stridepack/")
    add(package, "license", "LICENSE")
    releases = add(package, "releases")
    add(releases, "release", "First release.", version=library.version)
    component = add(
        add(package, "components"),
        "component",
        Cclass="Machine Learning",
        Cgroup="stridepack",
        Cversion=library.version,
    )
    add(component, "description", f"{SUMMARY}.")
    files = add(component, "files")
    add(files, "file", category="doc", name="README.md")
    add(files, "file", category="include", name="include/")
    for path in library.headers:
        add(files, "file", category="header", name=path)
    for path in library.sources:
        add(files, "file", category="sourceC", name=path)
    ElementTree.indent(package)
    text = ElementTree.tostring(package, encoding="unicode")
    pdsc = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
    return library.files | {"stridepack.stridepack.pdsc": pdsc.encode()}
