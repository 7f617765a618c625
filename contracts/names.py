"""Names that lead somewhere else: what mail programs make a link of. Pure."""

import re
import unicodedata

# What stands before a full stop without a blank after it, as in „Dr.med.Müller" or „St.Clair".
_BEFORE_A_STOP = (
    "abg agr arch art assoc aug bacc bc biol cand capt chem chr col dent diac dipl dipl-ing diplom"
    " doc dott dr dra exc exz fa fam fr frl geb gen gr habil hab hd hon hr inf ing jos jr jun jur"
    " kfm kom lic lt ma mag maj math med mgr mr mrs ms mt msgr mult nat obj oec paed pfr ph phil"
    " phys prim priv prof psych rer sc sen ses sir soc sr sra st ste tech th theol univ verw vet"
    " vors wiss wm wwe"
)
_ABBREVIATED = frozenset(_BEFORE_A_STOP.split())
_STOP = re.compile(r"([\w-]+)\.(?=[^\W\d_]{2})")
_SLASHES = re.compile(r"//|\.[\w-]{2,}/")  # „t.me/x", where an initial would make none


def leads_elsewhere(name: str) -> bool:
    """Whether it holds an address of the web or of mail, or what is taken for one.

    A full stop between two words makes a domain of them, unless the first is an initial or
    abbreviated as titles and first names are: no list of top-level domains would hold.
    """
    plain = unicodedata.normalize("NFKC", name).replace("\u3002", ".").casefold()
    plain = re.sub("[\u200c\u200d]", "", plain)
    if "@" in plain or "www." in plain or _SLASHES.search(plain):
        return True
    before = (stop[1].strip("-") for stop in _STOP.finditer(plain))
    return any(len(word) > 1 and word not in _ABBREVIATED for word in before)
