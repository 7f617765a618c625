"""The demo's issuer keeps its key, and says what to do when it is damaged."""

from pathlib import Path

import pytest

from local.errors import LocalFailure
from local.identity import Identity

ISSUER = "http://127.0.0.1:8428"


def test_the_key_is_kept(tmp_path: Path) -> None:
    assert Identity(tmp_path, ISSUER).jwks == Identity(tmp_path, ISSUER).jwks


@pytest.mark.parametrize("damaged", ["", "{}", '{"kty": "OKP"}', "[]"])
def test_a_damaged_key_is_told_in_a_sentence(tmp_path: Path, damaged: str) -> None:
    Identity(tmp_path, ISSUER)
    (tmp_path / "signing-key.json").write_text(damaged)
    with pytest.raises(LocalFailure, match=r"signing-key\.json is damaged"):
        Identity(tmp_path, ISSUER)
