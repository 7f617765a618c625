"""Every problem that an API may answer with, and every code of a field: contracts/problems.json.

Written by `tools.generate` from the classes in each service's problems.py. With the words in both
languages: `en` and `de`.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

FILE = Path(__file__).with_name("problems.json")


@lru_cache
def catalogue() -> Json:
    """`problems` by code: `status`, a list, and in each language titles with advice.

    Several, where a code stands for several kinds. And `field_codes`, each in each language.
    """
    content: Json = json.loads(FILE.read_text())
    return content
