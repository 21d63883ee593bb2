"""The kinds of text files, most specific first: a table, in the order in which they are asked."""

from __future__ import annotations

from typing import Final

from ingestors.dat import (
    beamlines,
    nanonis,
    neutron,
    pymeasure,
    qcodes,
    quantum_design,
    sas,
    spec,
    xdi,
)
from ingestors.dat.reading import Family

FAMILIES: Final = (
    Family("XDI", xdi.recognises, xdi.read),
    Family("SPEC", spec.recognises, spec.read),
    Family("Quantum Design", quantum_design.recognises, quantum_design.read),
    Family("Nanonis", nanonis.recognises, nanonis.read),
    Family("PyMeasure", pymeasure.recognises, pymeasure.read),
    Family("SPICE", neutron.recognises_spice, neutron.read_spice),
    Family("ICP", neutron.recognises_icp, neutron.read_icp),
    Family("ILL triple-axis", neutron.recognises_ill, neutron.read_ill),
    Family("XDAC", beamlines.recognises_xdac, beamlines.read_xdac),
    Family("SSRL", beamlines.recognises_ssrl, beamlines.read_ssrl),
    Family("CLS", beamlines.recognises_cls, beamlines.read_cls),
    Family("APS LabVIEW scan", beamlines.recognises_labview_scan, beamlines.read_labview_scan),
    Family("NIST 2-D SANS", sas.recognises_plane, sas.read_plane),
    Family("Foxtrot", sas.recognises_foxtrot, sas.read_foxtrot),
    Family("dynamic light scattering", sas.recognises_dls, sas.read_dls),
    Family("reflectivity", sas.recognises_reflectivity, sas.read_reflectivity),
    Family("QCoDeS", qcodes.recognises, qcodes.read),
)
