"""Exports that the general table reader understands as they are: how each is told, and what a person knows about it.

A row of the table is one program's export. The general reader gives header, names, units and rows; the product adds what the
file leaves unsaid: the method, the maker, names of columns without any, and the order in which the program writes dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ingestors import tables
from ingestors.dat import dates, facts, notes
from ingestors.dat.general import reading
from ingestors.dat.reading import Family, Reading
from ingestors.tables import Column, Table

if TYPE_CHECKING:
    from ingestors.api import Candidate
    from ingestors.textfile import Decoded

_LOOKED_AT: Final = 6000  # characters of the head


@dataclass(frozen=True)
class Product:
    """One program's export: `tell` is searched in the first characters, line by line.

    A group `instrument` in it is the instrument. `columns` are names and units for columns without; `measurement` is what it is unless the header says it; `order` the
    `strptime` dates that the program writes, for those that could be two things.
    """

    name: str
    tell: str
    data_type: str
    measurement: str = ""
    instrument: str = ""
    columns: tuple[tuple[str, str | None], ...] = ()
    order: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


_RAMAN = (("Raman shift", "cm-1"), ("Intensity", "counts"))
PRODUCTS: Final = (
    Product("Campbell TOA5", r'^"TOA5",', "Campbell Scientific TOA5 log", "", "Campbell Scientific"),
    Product("Cary Eclipse", r"^.*,,.*\n\"?Wavelength \(nm\)\"?,\"?Intensity", "Agilent Cary Eclipse spectra", "Fluorescence spectroscopy", "Agilent"),
    Product("Agilent Cary", r"^Baseline |^\s*Instrument\s+Cary|^.*,,.*\n\"?Wavelength \(nm\)\"?,", "Agilent Cary spectra", "UV-Vis spectroscopy", "Agilent"),
    Product("CasaXPS", r"^Characteristic Energy eV\t|^K\.E\.\tCounts", "CasaXPS spectrum", "X-ray photoelectron spectroscopy", keywords=("XPS",)),
    Product("Igor text", r"^IGOR\s*\n(?:.*\n){0,3}?WAVES", "Igor text waves"),
    Product("Arbin", r"^Data_Point,Test_Time", "Arbin cycler data", "Battery cycling", "Arbin"),
    Product("Maccor", r"^Rec#\tCyc#", "Maccor cycler data", "Battery cycling", "Maccor", order=dates.US),
    Product("NIST SANS", r"^The \d+ columns are \|", "NIST 1-D scattering data", "Small-angle scattering", keywords=("SAS",)),
    Product("Keithley", r'^"?(?:Keithley (?:Instruments )?\d{4}|Model,2[46]\d\d)', "Keithley buffer", "Current-voltage measurement", "Keithley"),
    Product("Horiba LabSpec", r"^#Acq\. time \(s\)\s*[=:]", "Horiba LabSpec spectrum", "Raman spectroscopy", "Horiba", _RAMAN, keywords=("Raman",)),
    Product("Renishaw WiRE", r"^#(?:X\t+#Y\t+|Time\t+)?#?Wave\t+#Intensity", "Renishaw WiRE spectrum", "Raman spectroscopy", "Renishaw", keywords=("Raman",)),
    Product("RRUFF", r"^##RRUFFID=", "RRUFF spectrum", "Raman spectroscopy", "", _RAMAN, keywords=("RRUFF",)),
    Product("Avantes", r"^(?:Integration time \[ms\]:|Data measured with spectrometer \[name\]|Wave\s*;(?:Sample|Dark|Scope))", "Avantes spectrum", "Optical spectroscopy", "Avantes"),
    Product("PANalytical CSV", r"^\[Measurement conditions\]", "PANalytical CSV pattern", "X-ray diffraction", "PANalytical", (("Angle", "deg"), ("Intensity", "counts")), dates.US, ("XRD",)),
    Product("Athena", r"^# (?:Athena (?:data|project) file|File (?:generated|created) by Athena|.*Demeter )", "Athena XAS data", "X-ray absorption spectroscopy", keywords=("XAFS",)),
    Product("Edinburgh Instruments", r"^Labels[,;\t].*\n(?:.*\n){0,3}Type[,;\t]", "Edinburgh Instruments spectrum", "Fluorescence spectroscopy", "Edinburgh Instruments"),
    Product("TA Instruments", r"^(?:Instrument\s+(?:DSC|TGA|SDT|DMA|AR|DHR|Discovery)|StartOfData)", "TA Instruments data", "", "TA Instruments"),
    Product("Netzsch Proteus", r"^#?#EXPORTTYPE|^#FORMAT\s*[:;]\s*NETZSCH", "Netzsch Proteus data", "", "Netzsch"),
    Product("ZPlot", r'^(?:ZPLOT2? ASCII|"?Z60W Data File)', "ZPlot impedance data", "Electrochemical impedance spectroscopy", "Scribner"),
    Product("CH Instruments", r"^Instrument Model:\s*CHI", "CH Instruments data", "", "CH Instruments"),
    Product("Siglent", r"^Record Length,Analog", "Siglent oscilloscope record", "Oscilloscope trace", "Siglent"),
    Product("LeCroy", r"^\"?(?P<instrument>LECROY\w*)", "LeCroy oscilloscope record", "Oscilloscope trace"),
    Product("Sea-Bird", r"^\* (?P<instrument>Sea-Bird(?: SBE ?[\w-]+)?)", "Sea-Bird CTD profile", "CTD profile"),
    Product("Spectra Vista", r"^/\*\*\* (?P<instrument>Spectra Vista [\w-]+)", "Spectra Vista field spectrum", "Reflectance spectroscopy", "",
            (("Wavelength", "nm"), ("Reference", None), ("Target", None), ("Reflectance", "%")), dates.US),
    Product("Vi-CELL", r"^(?P<instrument>Vi-CELL[ \w]*?) [\d.]+", "Vi-CELL cell count", "Cell counting"),
    Product("Tektronix", r"^(?:\"?Record Length\"?,|Model,(?:MSO|DPO|MDO|TDS|DSA|TBS))", "Tektronix oscilloscope record", "Oscilloscope trace", "Tektronix", (("Time", "s"), ("Voltage", "V"))),
    Product("Keysight EasyEXPERT", r"^(?:SetupTitle|PrimitiveTest),", "Keysight EasyEXPERT record", "Current-voltage measurement", "Keysight"),
    Product("Rohde & Schwarz", r"^Type[,;](?:RTO|FSV|FSW|FSP|ZNB|FPC|ZVL)", "Rohde & Schwarz trace", "", "Rohde & Schwarz"),
    Product("Shimadzu LabSolutions", r"^\[Header\]\s*\n(?:.*\n)?Application Name\t", "Shimadzu LabSolutions export", "Chromatography", "Shimadzu"),
    Product("FLIR or Fluke log", r"^Fluke ", "Fluke log", "", "Fluke"),
    Product("Mantid", r"^# ?(?:File generated by Mantid|X , Y0? , E0?)", "Mantid workspace as text", "Neutron scattering"),
    Product("PDFgetX", r"^\[DEFAULT\]|^##### start data|^version = (?:pdfget|diffpy\.pdf)", "PDFgetX function", "Pair distribution function", keywords=("PDF",)),
    Product("BELSORP or AUTOSORB", r"^\s*(?P<instrument>(?:Quantachrome|Autosorb|Micromeritics)(?: (?:Nova|Autosorb)\w*)?)", "Gas adsorption isotherm", "Gas adsorption"),
    Product("Micromeritics", r"^\s*(?P<instrument>(?:TriStar|ASAP|Gemini|3Flex|AutoChem|VacPrep)[ \w]*?\d*) +V\d", "Gas adsorption isotherm", "Gas adsorption"),
    Product("Hysitron", r"^(?P<instrument>Hysitron)", "Hysitron indentation", "Nanoindentation"),
    Product("Yokogawa OSA", r"^\"?(?P<instrument>AQ\d{4}\w?) OPTICAL", "Yokogawa optical spectrum", "Optical spectroscopy", "Yokogawa"),
    Product("ION-TOF", r"^# ?(?P<instrument>ION-?TOF)", "ION-TOF profile", "Mass spectrometry"),
    Product("Horiba FluorEssence", r"^Wavelength\tS1", "Horiba FluorEssence spectrum", "Fluorescence spectroscopy", "Horiba"),
    Product("FullProf", r"^! ?(?:Scattering|COMM|Rietveld)", "FullProf pattern"),
    Product("FEFF path", r"nleg, deg, reff, rnrmav", "FEFF scattering path", "",
            "", (("k", "1/Å"), ("real[2*phc]", None), ("mag[feff]", None), ("phase[feff]", None), ("red factor", None), ("lambda", "Å"), ("real[p]", "1/Å"))),
    Product("Keysight", r"^(?P<instrument>Keysight \w+)\s*$", "Keysight record", ""),
    Product("ASD", r"^(?:New )?ASD spectrum file", "ASD field spectrum", "Reflectance spectroscopy", "ASD", order=dates.US),
    Product("Zahner", r"^(?i:Zahner|Thales)", "Zahner data", "", "Zahner"),
    Product("PalmSens", r"^(?:\ufeff)?(?:PalmSens|PSTrace|Date and time measurement:|Date and time:)", "PalmSens data", "", "PalmSens"),
    Product("Ivium impedance", r"^Ivium(?:.*\n){1,80}?Method=Impedance", "Ivium data", "Electrochemical impedance spectroscopy", "Ivium",
            (("Z'", "ohm"), ("Z''", "ohm"), ("Frequency", "Hz"))),
    Product("Hiden MASsoft", r'^"?header"?,\s*\d+,\s*"?lines', "Hiden MASsoft data", "Mass spectrometry", "Hiden"),
    Product("Pfeiffer Quadstar", r"^Sourcefile\t", "Pfeiffer Quadstar data", "Mass spectrometry", "Pfeiffer", order=dates.US),
    Product("Agilent ICP-MS", r"^Intensity Vs Time", "Agilent ICP-MS time series", "Mass spectrometry", "Agilent"),
    Product("ALV correlator", r"^(?P<instrument>ALV-\d+)", "ALV correlator data", "Dynamic light scattering"),
    Product("WSxM", r"^WSxM", "WSxM data", "Scanning probe microscopy"),
    Product("Ivium", r"^(?:IviumSoft|Ivium)", "Ivium data", "", "Ivium"),
    Product("Lake Shore", r"^(?:Lake ?Shore|.*Model 7[34]\d\d)", "Lake Shore data", "Magnetometry", "Lake Shore"),
    Product("MicroMag", r"^MicroMag \d", "MicroMag record", "Magnetometry", "Princeton MicroMag"),
)  # fmt: skip


def families() -> tuple[Family, ...]:
    """A family for each product."""
    return tuple(Family(product.name, partial(_recognises, product), partial(_read, product)) for product in PRODUCTS)


def _recognises(product: Product, head: str, candidate: Candidate) -> str | None:
    del candidate
    match = re.search(product.tell, head[:_LOOKED_AT], re.MULTILINE)
    return f"line {' '.join(match[0].split())[:60]!r}" if match else None


def _read(product: Product, text: Decoded, candidate: Candidate) -> Reading:
    """The general reading, with what the product adds. Raises UnreadableError."""
    try:
        found = tables.read(text)
    except tables.NotATableError:  # a report, or settings only
        settings = notes.read(text, candidate)
        return replace(settings, data_type=product.data_type, measurement=product.measurement or settings.measurement)
    known = replace(found, tables=tuple(_filled(table, product.columns) for table in found.tables))
    made = reading(known, candidate, data_type=product.data_type)
    when = facts.time_of(found.fields, product.order) if product.order else None
    told = re.search(product.tell, text.text[:_LOOKED_AT], re.MULTILINE)
    maker = (told.groupdict().get("instrument") if told else None) or product.instrument
    instrument = made.instrument if maker.casefold() in made.instrument.casefold() else f"{maker} {made.instrument}"
    return replace(
        made,
        measurement=_more_exact(product, made),
        instrument=instrument.strip(),
        keywords=product.keywords,
        timestamp=when.iso if when else made.timestamp,
        warnings=(*when.warnings, *found.warnings) if when else made.warnings,
    )


def _more_exact(product: Product, made: Reading) -> str:
    """The product's own method; where it has several, the one that the file says."""
    return (
        product.measurement
        if product.measurement and product.measurement != "Optical spectroscopy"
        else made.measurement or product.measurement
    )


def _filled(table: Table, columns: tuple[tuple[str, str | None], ...]) -> Table:
    """The table with the product's names where it has none, and the product's units where it names none."""
    if len(columns) < len(table.columns):
        return table
    named = [
        Column(name if column.name.startswith("column ") else column.name, column.unit or unit, column.values)
        for column, (name, unit) in zip(table.columns, columns, strict=False)
    ]
    return Table(table.title, tuple(named))
