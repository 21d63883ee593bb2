"""The kinds of text files, most specific first: a table, in the order in which they are asked."""

from __future__ import annotations

import re
from typing import Final

from ingestors.dat import (
    beamlines,
    belsorp,
    bes3t,
    bioxtas,
    bruker,
    cif,
    createc,
    eclab,
    electrochemistry,
    emsa,
    exports,
    gamma,
    gsas,
    iec,
    jasco,
    jcamp,
    labview,
    light,
    nanonis,
    neutron,
    nist,
    orso,
    photoemission,
    photonfactory,
    products,
    pymeasure,
    qcodes,
    quantum_design,
    rigaku,
    sas,
    scans,
    spec,
    srs,
    steps,
    touchstone,
    vamas,
    xdi,
)
from ingestors.dat.reading import Family
from ingestors.xy import pyfai

FAMILIES: Final = (
    Family("XDI", xdi.recognises, xdi.read),
    Family("SPEC", spec.recognises, spec.read),
    Family("Quantum Design", quantum_design.recognises, quantum_design.read),
    Family("Nanonis", nanonis.recognises, nanonis.read),
    Family("Createc", createc.recognises, createc.read),
    Family("PyMeasure", pymeasure.recognises, pymeasure.read),
    Family("SPICE", neutron.recognises_spice, neutron.read_spice),
    Family("ICP", neutron.recognises_icp, neutron.read_icp),
    Family("ILL triple-axis", neutron.recognises_ill, neutron.read_ill),
    Family("XDAC", beamlines.recognises_xdac, beamlines.read_xdac),
    Family("SSRL", beamlines.recognises_ssrl, beamlines.read_ssrl),
    Family("CLS", beamlines.recognises_cls, beamlines.read_cls),
    Family("APS LabVIEW scan", beamlines.recognises_labview_scan, beamlines.read_labview_scan),
    Family("EPICS scan", scans.recognises_epics, scans.read_epics),
    Family("NSLS-II ISS", scans.recognises_iss, scans.read_iss),
    Family("ALS beamline", scans.recognises_als, scans.read_als),
    Family("APS 12-BM scan", scans.recognises_exafsscan, scans.read_exafsscan),
    Family("ifeffit", scans.recognises_ifeffit, scans.read_ifeffit),
    Family("pyFAI", pyfai.recognises, pyfai.read),
    Family("BioXTAS RAW", bioxtas.recognises, bioxtas.read),
    Family("NIST 2-D SANS", sas.recognises_plane, sas.read_plane),
    Family("Foxtrot", sas.recognises_foxtrot, sas.read_foxtrot),
    Family("dynamic light scattering", sas.recognises_dls, sas.read_dls),
    Family("reflectivity", sas.recognises_reflectivity, sas.read_reflectivity),
    Family("BELSORP", belsorp.recognises, belsorp.read),
    Family("Woollam", light.recognises_woollam, light.read_woollam),
    Family("WITec", light.recognises_witec, light.read_witec),
    Family("PerkinElmer", light.recognises_perkin_elmer, light.read_perkin_elmer),
    Family("Scienta SES", photoemission.recognises, photoemission.read),
    Family("VAMAS", vamas.recognises, vamas.read),
    Family("Gamry", electrochemistry.recognises_gamry, electrochemistry.read_gamry),
    Family("EC-Lab", eclab.recognises, eclab.read),
    Family("LabVIEW measurement", labview.recognises, labview.read),
    Family("NIST StRD", nist.recognises, nist.read),
    Family("SpectraSuite", exports.recognises_spectrasuite, exports.read_spectrasuite),
    Family("JCAMP-DX", jcamp.recognises, jcamp.read),
    Family("JASCO", jasco.recognises, jasco.read),
    Family("ORSO", orso.recognises, orso.read),
    Family("Rigaku RAS", rigaku.recognises_ras, rigaku.read_ras),
    Family("Rigaku ASC", rigaku.recognises_asc, rigaku.read_asc),
    Family("Bruker UXD", bruker.recognises_uxd, bruker.read_uxd),
    Family("Bruker XY", bruker.recognises_xy, bruker.read_xy),
    Family("SRS", srs.recognises, srs.read),
    Family("Photon Factory", photonfactory.recognises, photonfactory.read),
    Family("Amptek MCA", gamma.recognises_amptek, gamma.read_amptek),
    Family("gamma spectrum", gamma.recognises_sections, gamma.read_sections),
    Family("IEC 61455", iec.recognises, iec.read),
    Family("EMSA/MAS", emsa.recognises, emsa.read),
    Family("Bruker BES3T", bes3t.recognises, bes3t.read),
    Family("Touchstone", touchstone.recognises, touchstone.read),
    Family("GSAS", gsas.recognises, gsas.read),
    Family("CIF", cif.recognises, cif.read),
    *products.families(),
    Family("pattern in steps", steps.recognises, steps.read, of_numbers=True),
    Family("QCoDeS", qcodes.recognises, qcodes.read, of_numbers=True),
)

_OF_NUMBERS: Final = tuple(family for family in FAMILIES if family.of_numbers)
_WORDS: Final = re.compile(r"[^\s\d.,;eE+-]")


def families_for(head: str) -> tuple[Family, ...]:
    """The families that this head may be: of bare numbers, the few that are told by numbers. Most files are such."""
    return FAMILIES if _WORDS.search(head) else _OF_NUMBERS
