"""The field's name of a measurement from what a file says: header, titles of columns, words of its name.

Only where the words can mean one method. The strongest evidence wins: a header field that names the method, then the
columns together, then the title and the remarks, then the words of the file's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingestors.dat.facts import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ingestors.columns import Table

_KEYS: Final = (
    "technique", "method", "measurement", "measurement type", "measurement mode", "experiment", "experiment type", "data type",
    "scan type", "type of measurement", "analysis method", "test type", "spectrum type", "read", "m type", "type", "mode", "procedure", "geometry name", "geometry",
)  # fmt: skip
_WORDS: Final = (
    ("Grazing-incidence small-angle X-ray scattering", r"gisaxs"),
    ("Grazing-incidence wide-angle X-ray scattering", r"giwaxs|gixs"),
    ("Small-angle neutron scattering", r"sans|small[- ]angle neutron scattering"),
    ("Small-angle X-ray scattering", r"saxs|usaxs|bio-?saxs|small[- ]angle x-?ray scattering"),
    ("Wide-angle X-ray scattering", r"waxs|waxd|wide[- ]angle x-?ray scattering"),
    ("X-ray reflectometry", r"xrr|x-?ray reflect(?:ivity|ometry)"),
    ("Neutron reflectometry", r"neutron reflect(?:ivity|ometry)"),
    ("Neutron diffraction", r"npd|neutron (?:powder )?diffraction"),
    ("X-ray diffraction", r"p?xrd|gixrd|gixd|x-?ray (?:powder )?diffraction|powder diffraction"),
    ("X-ray absorption spectroscopy", r"n?exafs|xanes|xafs|xas|qexafs|x-?ray absorption(?: spectroscopy)?"),
    ("X-ray emission spectroscopy", r"xes|x-?ray emission(?: spectroscopy)?"),
    ("X-ray photoelectron spectroscopy", r"xps|esca|x-?ray photo-?(?:electron|emission)(?: spectroscopy)?"),
    ("Ultraviolet photoelectron spectroscopy", r"ups|ultraviolet photo-?(?:electron|emission)(?: spectroscopy)?"),
    ("Angle-resolved photoelectron spectroscopy", r"arpes"),
    ("Auger electron spectroscopy", r"auger(?: electron spectroscopy)?"),
    ("X-ray fluorescence", r"xrf|x-?ray fluorescence"),
    ("Energy-dispersive X-ray spectroscopy", r"edx|edxs|edax|energy[- ]dispersive x-?ray(?: spectroscopy)?"),
    ("Electron energy-loss spectroscopy", r"eels|electron energy[- ]loss(?: spectroscopy)?"),
    ("Raman spectroscopy", r"raman(?: shift| spectr\w+)?|sers"),
    ("Infrared spectroscopy", r"ft-?ir|drifts|atr-?ir|infra-?red(?: spectr\w+)?|ir spectrum"),
    ("Photoluminescence spectroscopy", r"photo-?luminescence|trpl"),
    ("Electroluminescence", r"electro-?luminescence"),
    ("Cathodoluminescence spectroscopy", r"cathodo-?luminescence"),
    ("Luminescence spectroscopy", r"luminescence (?:spectr\w+|scan)"),
    ("Fluorescence spectroscopy", r"fluorescence(?: spectr\w+)?|(?:emission|excitation) (?:scan|spectrum)|tcspc"),
    ("UV-Vis spectroscopy", r"uv[-_/ ]?vis(?:[-_/ ]?nir)?|ultraviolet[- ]visible"),
    ("Circular dichroism", r"circular dichroism"),
    ("Nuclear magnetic resonance", r"nmr|nuclear magnetic resonance"),
    ("Electron paramagnetic resonance", r"epr|esr|electron (?:paramagnetic|spin) resonance"),
    ("Mössbauer spectroscopy", r"m(?:ö|oe|o)ssbauer"),
    ("Mass spectrometry", r"mass spectr\w+|maldi|sims|tof-?sims|gc-?ms|lc-?ms"),
    ("Gas chromatography", r"gas chromatogra\w+|gc-?\d{4}\w*|gc-?fid"),
    ("Liquid chromatography", r"u?hplc|liquid chromatogra\w+"),
    ("Chromatography", r"chromatogra\w+|area percent report"),
    ("Ion mobility spectrometry", r"ion mobility"),
    ("Thermogravimetry", r"tga|thermogravimetr\w+|thermo-?gravimetric analysis"),
    ("Differential scanning calorimetry", r"dsc|differential scanning calorimetr\w+"),
    ("Isothermal titration calorimetry", r"itc|isothermal titration(?: calorimetr\w+)?"),
    ("Dilatometry", r"dilatomet\w+"),
    ("Dynamic mechanical analysis", r"dma|dynamic mechanical analysis"),
    ("Cyclic voltammetry", r"cyclic volt\w+"),
    ("Linear sweep voltammetry", r"linear (?:sweep|scan) volt\w+|lsv"),
    ("Electrochemical impedance spectroscopy", r"eis|p-?eis|g-?eis|(?:electrochemical )?impedance(?: spectr\w+)?"),
    ("Chronoamperometry", r"chrono-?amperometr\w+|amperometric i-t curve"),
    ("Chronopotentiometry", r"chrono-?potentiometr\w+"),
    ("Battery cycling", r"gcpl|galvanostatic cycling"),
    ("Differential pulse voltammetry", r"differential pulse volt\w+"),
    ("Square wave voltammetry", r"square wave volt\w+"),
    ("Open-circuit potential", r"open[- ]circuit (?:potential|voltage)|ocv|ocp"),
    ("External quantum efficiency", r"eqe|ipce|(?:external )?quantum efficiency"),
    ("Maximum power point tracking", r"mppt?|maximum power point(?: tracking)?"),
    ("Current-voltage measurement", r"[ij]-?v (?:curve|sweep|characteristic\w*|measurement)|current[- ]voltage"),
    ("Capacitance-voltage measurement", r"c-?v (?:sweep|characteristic\w*|measurement)|capacitance[- ]voltage"),
    ("Hall effect", r"hall(?: effect| measurement)"),
    ("Magnetometry", r"vsm|squid|magnetometr\w+|mpms"),
    ("Ellipsometry", r"ellipsometr\w+"),
    ("Dynamic light scattering", r"dls|dynamic light scattering"),
    ("Zeta potential", r"zeta potential"),
    ("Scanning tunneling spectroscopy", r"sts|scanning tunnell?ing spectroscopy"),
    ("Scanning tunneling microscopy", r"stm|scanning tunnell?ing microscopy"),
    ("Atomic force microscopy", r"afm|atomic force microscopy|force(?:[- ]distance)? curves?"),
    ("Nanoindentation", r"nano-?indent\w+"),
    ("Tensile test", r"tensile(?: test)?"),
    ("Rheology", r"rheolog\w+|rheometr\w+|rheometer|parallel[- ]plate|cone(?: and |[- ])plate"),
    ("Gas adsorption", r"(?:gas|nitrogen|n2) (?:ad)?sorption|physisorption|bet isotherm"),
    ("Gamma-ray spectroscopy", r"gamma[- ](?:ray )?spectr\w+|hpge"),
    ("Muon spin spectroscopy", r"[µu]sr|musr|muon spin\w*"),
    ("Thermoluminescence", r"thermo-?luminescence"),
    ("Pair distribution function", r"pdf analysis|pair distribution function|xpdf"),
    ("Tribology", r"tribolog\w+|tribomet\w+|(?:pin|ball)[- ]on[- ]dis[ck]|friction coefficient|coefficient of friction"),
    ("Surface profilometry", r"profilomet\w+|dektak\w*|alpha-?step"),
    ("Cell counting", r"cell count\w*|viability and cell count"),
    ("Laser diffraction", r"laser diffraction|mastersizer"),
)  # fmt: skip
_SWEPT: Final = "Current-voltage measurement"  # over a time it is something else
_LOOKED_AT: Final = 3  # tables: a summary may stand above the data
_COMPILED: Final = tuple(
    (name, re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])", re.IGNORECASE)) for name, words in _WORDS
)

_COLUMNS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # every pattern has to match the title of another column (case ignored, unit in brackets behind the name)
    ("X-ray diffraction", (r"(?:2|two)[\s_*-]*(?:th(?:eta)?|θ|ϴ)\b.*|tth.*",)),
    ("Raman spectroscopy", (r"raman ?shift.*",)),
    ("X-ray photoelectron spectroscopy", (r"binding ?energy.*|b\.?e\.?(?: \(ev\))?",)),
    ("Infrared spectroscopy", (r"wave ?numbers?.*|.*\(cm-1\)|.*\(1/cm\)|.*\(cm\^-1\)", r"(?:%?\s*t|transmittance|absorbance|abs|%?\s*r|reflectance)\b.*")),
    ("UV-Vis spectroscopy", (r"wave ?length.*|nm|.*\(nm\)", r"(?:abs|absorbance|%\s*[tr]|transmittance|reflectance|%\s*transmission|transmission)\b.*")),
    ("Ellipsometry", (r"psi.*|Ψ.*", r"delta.*|Δ.*")),
    ("Mass spectrometry", (r"m/z.*|mass/charge.*", r".+")),
    ("Differential scanning calorimetry", (r"(?:\w+ )?heat ?flow.*|dsc.*", r"temp.*|time.*")),
    ("Thermogravimetry", (r"(?:weight|mass)\b.*|tga?\b.*", r"temp.*")),
    ("Electrochemical impedance spectroscopy", (r"(?:re[ _]?)?z'(?![\"']).*|z[ _]?re(?:al)?\b.*|re\(?z\)?.*|zreal.*", r"-?z(?:''|\").*|-?z[ _]?im(?:a?g)?\b.*|-?im\(?z\)?.*|-?zimag.*")),
    ("Maximum power point tracking", (r"mppt?\b.*|mppt_.*",)),
    ("External quantum efficiency", (r"(?:i?eqe|ipce|ext.*quantum ?eff.*)\b.*", r"(?:wave ?length|lambda|energy).*")),
    ("Photoluminescence spectroscopy", (r"(?:photo-?)?luminescence.*|pl intensity.*",)),
    ("Battery cycling", (r".*(?:spec\w*|dis)?.?capacity.*\(?m?ah.*", r"(?:.*voltage|ecell|.*potential|volts).*")),
    ("Muon spin spectroscopy", (r"time.*", r"asymmetry.*")),
    ("Laser diffraction", (r"d ?\[?\(?4,3.*|dx ?\(50.*|dv ?\(?50.*",)),
    ("Cell counting", (r"viab.*", r"(?:live|viable|total)\b.*")),
    ("Dynamic light scattering", (r"z-?ave?(?:rage)?\b.*",)),
    ("UV-Vis spectroscopy", (r"a260.*", r"a280.*")),
    ("Cyclic voltammetry", (r".*potential\b.*\(v\)", r".*current\b.*", r"scan|cycle")),
    ("Oscilloscope trace", (r"time.*|seconds?.*|x-axis.*|source.*", r"(?:ch(?:annel)?)?[ _]?[a-d1-8] \(m?v(?:olts?)?\)|ch(?:annel)?[ _]?[a-d1-8]|ampl")),
    ("Cyclic voltammetry", (r"ewe.*|potential ?(?:/ ?|\()v.*|vf.*", r"<?i>?\s*[/(]\s*[mµun]?A.*|current.*|im", r"cycle.*")),
    ("Magnetometry", (r".*moment.*\((?:emu|a\.?m).*|m \(emu.*", r".*field.*|h \(.*")),
    ("X-ray absorption spectroscopy", (r"\w*energy.*|mono_?e(?:nergy)?\b.*", r"x?mu(?:\(e\))?|flat|norm|i_?0(?:[ _].*)?|it|mutrans|mufluor")),
    ("X-ray absorption spectroscopy", (r"k", r"chi(?:\(k\))?")),
    ("Gas adsorption", (r".*(?:relative pressure|p/p0|p/po).*", r".*(?:adsorbed|uptake|volume|va).*")),
    ("Rheology", (r"shear rate.*|angular frequency.*", r"viscosity.*|storage modulus.*|shear stress.*")),
    ("Tensile test", (r".*strain.*", r".*stress.*")),
    ("Pair distribution function", (r"r", r"g\(r\)|g")),
    ("Chromatography", (r"rt\b.*|.*\(rt\b.*|ret(?:ention)?\.? ?time.*|r\.? ?time.*", r"(?:peak )?area.*|.*\(area\)|intensity|signal.*|height.*")),
    ("Current-voltage measurement", (
        r"(?:[\w-]+[ _])?(?:voltage|bias)\b.*|voltage[ _].*|[vu](?:[ _]?[a-z\d]{1,4})? ?\(?(?:[mµu]?v)\)?",
        r"(?:[\w-]+[ _])?current\b.*|current[ _].*|[ij](?:[ _]?[a-z\d]{1,4})? ?\((?:[mµunpk]?a)\b.*",
    )),
    ("Current-voltage measurement", (r"(?:gate|drain)[ _]?v.*|v[ _]?[gd]s?\b.*", r"(?:gate|drain|source)[ _]?i.*|i[ _]?[gds]s?\b.*")),
    ("Hall effect", (r".*hall.*(?:resist|volt|coeff).*",)),
    ("Network analysis", (r"freq.*", r".*s[1-4][1-4].*")),
)  # fmt: skip


def method_of(
    fields: Mapping[str, Any], tables: Sequence[Table] = (), texts: Iterable[str] = (), stem: str = ""
) -> str:
    """The method's name, or an empty text if the file does not say it. `texts` are titles and remarks."""
    for key in _KEYS:
        found = named(said(fields, (key,)))
        if found:
            return found
    return (
        _by_columns(tables)
        or next(filter(None, map(named, texts)), "")
        or named(re.sub(r"[_\W]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)))
    )


def named(text: str) -> str:
    """The method that a text names, or an empty text; the one named first if it names several."""
    if not text:  # most of the fields that are asked for
        return ""
    found = [(match.start(), name) for name, pattern in _COMPILED if (match := pattern.search(text[:400]))]
    return min(found)[1] if found else ""


def _by_columns(tables: Sequence[Table]) -> str:
    for table in tables[:_LOOKED_AT]:
        labels = [f"{column.name} ({column.unit})" if column.unit else column.name for column in table.columns[:32]]
        for name, patterns in _COLUMNS:
            if _all_match(labels, patterns) and not (name == _SWEPT and re.match("time", labels[0], re.IGNORECASE)):
                return name
    return ""


def _all_match(labels: Sequence[str], patterns: Sequence[str]) -> bool:
    left = list(labels)
    for pattern in patterns:
        match = next((label for label in left if re.fullmatch(pattern, label, re.IGNORECASE)), None)
        if match is None:
            return False
        left.remove(match)
    return True
