"""A bill of materials of each image, as CycloneDX 1.6: `make sbom`.

    python -m tools.sbom [FOLDER]

It names what deploy/Dockerfile puts into the image: the base image, and each package of Python with
its version and the hashes of the files that may be installed. What the base image itself holds is
its maker's to tell, or a scanner's of the built image.
"""

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools.pinned import Pin, pinned
from tools.product import PRODUCT, ROOT

FOLDER = ROOT / "sbom"
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


def main() -> int:
    """Command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        path = folder / f"{image}.cdx.json"
        path.write_text(bill(image) + "\n")
        print(f"wrote {path}")
    return 0


def bill(image: str, moment: datetime | None = None) -> str:
    """The bill of an image, as JSON. Of the same `moment`, an aware one, it is the same."""
    name, moment = f"einladung/{image}", moment or datetime.now(UTC)
    environment = _environment()
    whole = Component(name=name, version=PRODUCT, type=ComponentType.CONTAINER, bom_ref=image)
    pins = [
        pin
        for pin in pinned(IMAGES[image])
        if pin.marker is None or pin.marker.evaluate(environment)
    ]
    parts = [_base_image(), *(_component(pin) for pin in pins)]
    serial = uuid5(NAMESPACE_URL, f"{name}:{PRODUCT} {moment.isoformat()}")
    bom = Bom(components=parts, serial_number=serial)
    bom.metadata.timestamp = moment
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


def base_image() -> str:
    """Of all images, the one that they begin with."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    [found] = re.findall(r"^ARG PYTHON_IMAGE=([^:\s]+:\S+)$", dockerfile, re.MULTILINE)
    return str(found)


def _environment() -> dict[str, str]:
    """What markers ask of: images are CPython's on Linux, for whichever processor."""
    python = base_image().rpartition(":")[2].partition("-")[0]
    return {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
    }


def _base_image() -> Component:
    name, _, tag = base_image().rpartition(":")
    url = PackageURL("docker", name=name, version=tag)
    return Component(
        name=name, version=tag, type=ComponentType.CONTAINER, purl=url, bom_ref=str(url)
    )


if __name__ == "__main__":
    sys.exit(main())
