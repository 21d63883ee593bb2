"""How a field draws its axes.

Standard library only.
"""

from __future__ import annotations

import re
from typing import Final

_FALLING: Final = re.compile(r"binding|\bwave[ -]?numbers?\b|chemical[ _]?shift|^b\.?e\.?$", re.IGNORECASE)
# `wave_numbers`, with its underscore, is how ScopeFoundry names a Raman shift.
_RISING: Final = re.compile(r"raman|kinetic|shift\W*(rel|cm)", re.IGNORECASE)


_UNNAMED: Final = re.compile(r"|row|x|col(umn)?[ _]?\d+", re.IGNORECASE)
_FALLING_IN: Final = frozenset({"Infrared spectroscopy", "Nuclear magnetic resonance"})


def falls(name: str, unit: str | None, measurement: str = "") -> bool:
    """Whether the field draws this abscissa from large to small: binding energies, wavenumbers of infrared, ppm of NMR.

    Raman shifts and kinetic energies rise. A column without a name is what the measurement has there. Sources: ISO 18115-1 (XPS), IUPAC recommendations for infrared spectra and
    NMR (JCAMP-DX 4.24 and 5.0, which reproduce them).
    """
    if _RISING.search(name) or _RISING.search(measurement):
        return False
    if _UNNAMED.fullmatch(name):
        return measurement in _FALLING_IN
    return bool(_FALLING.search(name)) or (
        unit == "ppm" and bool(re.search(r"shift|^f[12]$|^\W*$", name, re.IGNORECASE))
    )
