"""NeXus application definitions by the names that the field gives to what they describe.

Source: the definitions of nexusformat.org (base and contributed). Definitions for anything at all (NXroot, NXscan,
NXarchive) are not listed: they name no measurement.
"""

from __future__ import annotations

from typing import Final

XRD: Final = "X-ray diffraction"
XAS: Final = "X-ray absorption spectroscopy"
SAXS: Final = "Small-angle X-ray scattering"
SANS: Final = "Small-angle neutron scattering"
SAS: Final = "Small-angle scattering"

_INELASTIC: Final = "Inelastic neutron scattering"
_POWDER: Final = "Neutron powder diffraction"
_PHOTOEMISSION: Final = "Photoemission spectroscopy"
_TOMOGRAPHY: Final = "X-ray tomography"

MEASUREMENTS: Final = {
    "NXmx": "Macromolecular crystallography",
    "NXcanSAS": SAS,
    "NXsas": SAXS,
    "NXsastof": SANS,
    "NXarpes": "Angle-resolved photoemission spectroscopy",
    "NXmpes": _PHOTOEMISSION,
    "NXmpes_arpes": "Angle-resolved photoemission spectroscopy",
    "NXmpes_liquid": _PHOTOEMISSION,
    "NXxps": "X-ray photoelectron spectroscopy",
    "NXxas": XAS,
    "NXxasproc": XAS,
    "NXxas_new": XAS,
    "NXxas_trans": XAS,
    "NXxes": "X-ray emission spectroscopy",
    "NXxrd": XRD,
    "NXxrd_pan": XRD,
    "NXxbase": XRD,
    "NXxrot": XRD,
    "NXxeuler": XRD,
    "NXxkappa": XRD,
    "NXxnb": XRD,
    "NXmonopd": "Powder diffraction",
    "NXxlaue": "Laue diffraction",
    "NXxlaueplate": "Laue diffraction",
    "NXlauetof": "Laue diffraction",
    "NXazint1d": "X-ray scattering",
    "NXazint2d": "X-ray scattering",
    "NXfluo": "X-ray fluorescence spectroscopy",
    "NXstxm": "Scanning transmission X-ray microscopy",
    "NXptycho": "X-ray ptychography",
    "NXcxi_ptycho": "X-ray ptychography",
    "NXtomo": _TOMOGRAPHY,
    "NXtomophase": _TOMOGRAPHY,
    "NXtomoproc": _TOMOGRAPHY,
    "NXrefscan": "Reflectometry",
    "NXreftof": "Neutron reflectometry",
    "NXreflections": XRD,
    "NXtofraw": "Neutron time-of-flight scattering",
    "TOFRAW": "Neutron time-of-flight scattering",
    "NXtofnpd": _POWDER,
    "NXtofsingle": "Neutron diffraction",
    "NXiqproc": "Neutron scattering",
    "NXsnsevent": "Neutron scattering",
    "NXsnshisto": "Neutron scattering",
    "NXtas": "Neutron triple-axis spectrometry",
    "NXspe": _INELASTIC,
    "NXdirecttof": _INELASTIC,
    "NXindirecttof": _INELASTIC,
    "NXsqom": _INELASTIC,
    "NXellipsometry": "Ellipsometry",
    "NXraman": "Raman spectroscopy",
    "NXoptical_spectroscopy": "Optical spectroscopy",
    "NXtransmission": "Transmission spectroscopy",
    "NXiv_temp": "Current-voltage measurement",
    "NXem": "Electron microscopy",
    "NXem_ebsd": "Electron backscatter diffraction",
    "NXebsd": "Electron backscatter diffraction",
    "NXapm": "Atom probe tomography",
    "NXspm": "Scanning probe microscopy",
    "NXafm": "Atomic force microscopy",
    "NXstm": "Scanning tunnelling microscopy",
    "NXsts": "Scanning tunnelling spectroscopy",
    "NXmuon": "Muon spin spectroscopy",
    "muonTD": "Muon spin spectroscopy",
    "pulsedTD": "Muon spin spectroscopy",
    "NXlum": "Luminescence spectroscopy",
}


def measurement(definition: str, radiation: str = "", wavelength: float | None = None) -> str:
    """The field's name for a definition; small-angle scattering by its radiation, electrons by their wavelength in Å.

    Electron detectors write NXmx too: no X-ray or neutron source for crystals goes below a tenth of an ångström.
    """
    if definition in {"NXcanSAS", "NXsas"} and radiation:
        words = radiation.casefold()
        if "neutron" in words:
            return SANS
        return SAXS if any(word in words for word in ("x-ray", "xray", "synchrotron")) else MEASUREMENTS[definition]
    if definition == "NXmx" and wavelength is not None and 0 < wavelength < 0.1:  # noqa: PLR2004 ångström
        return "Electron diffraction"
    return MEASUREMENTS.get(definition, "")
