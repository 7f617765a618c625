"""Each image has a valid bill of materials, with every package that it is made from."""

import json
import re
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import sbom
from tools.pinned import pinned, read
from tools.product import ROOT


@pytest.mark.parametrize("image", sbom.IMAGES)
def test_a_bill_is_valid_and_whole(image: str) -> None:
    text = sbom.bill(image)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told: dict[str, Any] = json.loads(text)
    assert told["metadata"]["component"]["name"] == f"einladung/{image}"
    base, *_ = [each for each in told["components"] if each["type"] == "container"]
    assert base["name"] == "python"
    libraries = {
        (each["name"], each["version"]): each
        for each in told["components"]
        if each["type"] == "library"
    }
    pins = pinned(sbom.IMAGES[image])
    assert {(pin.name, pin.version) for pin in pins} >= libraries.keys()
    assert len(libraries) > 40
    fastapi = next(pin for pin in pins if pin.name == "fastapi")
    shown = libraries["fastapi", fastapi.version]
    assert shown["purl"] == f"pkg:pypi/fastapi@{fastapi.version}"
    assert {each["content"] for each in shown["hashes"]} == {*fastapi.hashes}
    assert ("uvloop" in {name for name, _ in libraries}) is True
    assert "pywin32" not in {name for name, _ in libraries}


def test_it_names_what_the_images_own_python_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    [python] = re.findall(r"^python:([\d.]+)-", sbom.base_image())
    ours, older = f"python_full_version == '{python}'", "python_version < '3.13'"
    monkeypatch.setattr(
        sbom, "pinned", lambda _: list(read(f"ours==1 ; {ours}\nolder==1 ; {older}\n"))
    )
    told: dict[str, Any] = json.loads(sbom.bill("scheduling"))
    assert {each["name"] for each in told["components"]} == {"ours", "python"}


def test_every_image_has_one_from_the_requirements_that_it_is_built_with() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    targets = {each["build"]["target"] for each in services.values() if "build" in each}
    assert targets == sbom.IMAGES.keys()
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY requirements/(\w+)\.txt", dockerfile, re.MULTILINE))
    assert copied == set(sbom.IMAGES.values())


def test_what_is_not_pinned_is_refused() -> None:
    with pytest.raises(ValueError, match="x is not pinned"):
        list(read("x>=1\n"))
