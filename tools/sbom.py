"""A bill of materials of each image, as CycloneDX 1.6: `make sbom`.

    python -m tools.sbom [FOLDER]

It names what deploy/Dockerfile puts into the image: the base image, and each package of Python with
its version and the hashes of the files that may be installed. What the base image itself holds is
its maker's to tell, or a scanner's of the built image.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools.pinned import Pin, pinned

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / "sbom"
# By image, the requirements that it is made from.
IMAGES: Mapping[str, str] = {
    "scheduling": "runtime",
    "notification": "runtime",
    "status": "runtime",
    "webhooks": "runtime",
    "dashboard": "runtime",
    "fhir": "runtime",
    "tools": "tools",
}
# Images are CPython's on Linux, for whichever processor.
ENVIRONMENT = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "python_version": "3.11",
    "python_full_version": "3.11.14",
}


def main() -> int:
    """Command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        path = folder / f"{image}.cdx.json"
        path.write_text(bill(image) + "\n")
        print(f"wrote {path}")
    return 0


def bill(image: str) -> str:
    """The bill of an image, as JSON."""
    whole = Component(name=f"einladung/{image}", type=ComponentType.CONTAINER, bom_ref=image)
    pins = [
        pin
        for pin in pinned(IMAGES[image])
        if pin.marker is None or pin.marker.evaluate(dict(ENVIRONMENT))
    ]
    parts = [_base_image(), *(_component(pin) for pin in pins)]
    bom = Bom(components=parts)
    bom.metadata.component = whole
    bom.register_dependency(whole, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _component(pin: Pin) -> Component:
    url = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=str(url),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.hashes],
    )


def _base_image() -> Component:
    dockerfile = (REPOSITORY / "deploy" / "Dockerfile").read_text()
    [(name, tag)] = re.findall(r"^ARG PYTHON_IMAGE=([^:\s]+):(\S+)$", dockerfile, re.MULTILINE)
    url = PackageURL("docker", name=name, version=tag)
    return Component(
        name=name, version=tag, type=ComponentType.CONTAINER, purl=url, bom_ref=str(url)
    )


if __name__ == "__main__":
    sys.exit(main())
