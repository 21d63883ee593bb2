"""Habits of programs' exports that were once misread: every text here is made up, only its form is a real one's."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ingestors.api import Candidate, Extraction, Quantity, jsonable
from ingestors.dat import Dat
from ingestors.headers import flat
from ingestors.units import is_unit, split_title

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Export:
    """A text and what a person reads in it; `columns` are names and units of the first table, `None` is not asked."""

    text: str
    attributes: dict[str, str] = field(default_factory=dict)
    columns: tuple[tuple[str, str | None], ...] | None = None
    rows: tuple[int, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    samples: tuple[str, ...] | None = None
    name: str = "made.txt"
    warns: str = ""


EXPORTS = {
    "time before date, bare quantities in units of suns": Export(
        "Date\t07:05:09 - 21.06.2022\nSample\tK7\nIntensity (suns)\t0.5\n--\n"
        "Wavelength (nm)\tLuminescence flux density (photons/(s cm² nm))\tRaw spectrum (counts)\n"
        "400.5\t1.5\t900\n401.5\t2.5\t901\n402.5\t3.5\t902\n",
        {"timestamp": "2022-06-21T07:05:09", "measurement": "Photoluminescence spectroscopy"},
        (("Wavelength", "nm"), ("Luminescence flux density", "photons/(s cm² nm)"), ("Raw spectrum", "counts")),
        (3,),
        {"Intensity": Quantity(0.5, "suns")},
        ("K7",),
    ),
    "a solar cell's curve with joined units": Export(
        "Setup:\tSimulator 3\nR_ser [Ohmcm2]:\t4.25\n****\nV [V]\tI [mA]\tJ [mA/cm2]\n1.1\t0.5\t2\n1.0\t0.25\t1\n0.9\t0\t0\n",
        {"measurement": "Current-voltage measurement", "instrument_name": "Simulator 3"},
        (("V", "V"), ("I", "mA"), ("J", "mA/cm2")),
        (3,),
        {"R_ser": Quantity(4.25, "Ohmcm2")},
    ),
    "a unit in the middle of a title": Export(
        "Voltage (V)_a_Dark\tCurrent Density(mA/cm^2)_a_Dark\n0.1\t1\n0.2\t2\n0.3\t4\n",
        {"measurement": "Current-voltage measurement"},
        (("Voltage_a_Dark", "V"), ("Current Density_a_Dark", "mA/cm^2")),
        (3,),
    ),
    "settings beside the rows, two blocks": Export(
        "".join(
            f"{at}\t\t \t\t\nTotal\t2{at}.5\t \t \tMode\tAC\nLambda(nm)\tEQE (%)\tSR (A/W)\tBias\t0.5\n"
            f"300.0\t1.5\t0.1\tRange\t300-400nm\n305.0\t2.5\t0.2\tLamp\tXe\n310.0\t3.5\t0.3\t\t\n315.0\t4.5\t0.4\t\t\n320.0\t5.5\t0.5\t\t\n"
            for at in (1, 2)
        ),
        {"measurement": "External quantum efficiency"},
        (("Lambda", "nm"), ("EQE", "%"), ("SR", "A/W")),
        (5, 5),
        {"Range": "300-400nm", "Lamp": "Xe", "Mode": "AC", "Bias": 0.5},
    ),
    "names and units in one quoted line": Export(
        '"Z60W Data File: Version 1.1"\n""\n0,2,0\n3\n"  Freq (Hz)    Bias   Time(Sec)   Z\'(a)    Z\'\'(b)"\n'
        "1000,0,0,1.5,2.5\n100,0,0,2.5,3.5\n10,0,0,3.5,4.5\n",
        {"measurement": "Electrochemical impedance spectroscopy", "data_type": "ZPlot impedance data"},
        (("Freq", "Hz"), ("Bias", None), ("Time", "Sec"), ("Z'(a)", None), ("Z''(b)", None)),
        (3,),
    ),
    "a column that begins later": Export(
        "".join(f"{100 + row},5 0,2{row} 7,5{' 1,5' if row > 3 else ''}\n" for row in range(8)),
        {},
        None,
        (8,),
        warns="rows have another number of values",
    ),
    "units behind the name, a serial number, a product": Export(
        "Product,Flow 7  ,,,\nSerial Number,9917,,,\n,,,,\nSample,Flow smL/min ,Temp. Deg C,Pressure mBar ,Time\n"
        "1,18.5,26.5,979,8:48:31 AM\n2,17.5,26.5,979,8:49:44 AM\n3,17.5,26.5,979,8:50:54 AM\n",
        {"instrument_name": "Flow 7"},
        (("Sample", None), ("Flow", "smL/min"), ("Temp.", "Deg C"), ("Pressure", "mBar"), ("Time", None)),
        (3,),
        {"Serial Number": 9917},
        (),
    ),
    "seconds since 1970": Export(
        '"","Oven Last (C)","Oven Ave. (C)"\n' + "".join(f'"{1600000000 + 10 * at}","2{at}.5","2{at}.25"\n' for at in range(5)),
        {"timestamp": "2020-09-13T12:26:40+00:00"},
        (("column 1", None), ("Oven Last", "C"), ("Oven Ave.", "C")),
        (5,),
    ),
    "several tables of words": Export(
        "Sequence name:,run 7\nAcquisition date:,2021-03-04 10:44:50+02:00\n\n"
        "Line#,Location,Sample Name,Injection Date,Method,Offset\n3,D1,cell-0,2021-03-04 12:46:36+02:00,a.amx,0\n"
        "4,D2,cell-1,2021-03-04 13:19:45+02:00,a.amx,20\n5,D3,cell-2,2021-03-04 13:19:45+02:00,a.amx,20\n\n"
        "Line#,Compound,Sample Name,RT [min],Area\n3,Acetic acid,cell-0,1.5,2.5\n4,Acetic acid,cell-1,1.5,2.5\n5,Acetic acid,cell-2,1.5,9\n",
        {"timestamp": "2021-03-04T10:44:50+02:00", "dataset_name": "run 7"},
        None,
        (3, 3),
        {},
        ("cell-0", "cell-1", "cell-2"),
    ),
    "one row of many columns": Export(
        '"Date & Time","Sample ID","Type","Gln","Glu","pH","Vessel Temperature (°C)","Operator",\n'
        "6-24-2021  14:34:52,S_77,Media,1.5,0.25,7.5,37.5,somebody,\n",
        {"timestamp": "2021-06-24T14:34:52"},
        None,
        (1,),
        {},
        ("S_77",),
        "made.csv",
    ),
    "pairs in one line, padded with delimiters": Export(
        "User: me,Path: C:\\data,Run no.: 4,,,,\nTest name: Plate 9,Date: 29/02/2020,Time: 14:34:46,,,,\n,,,,,,\nFluorescence (FI),,,,,,\n,,,,,,\n"
        ",1,2,3,4,5,6\n" + "".join(f"{letter},{at},{at},{at},{at},{at},{at}\n" for at, letter in enumerate("ABCDEFGH", 100)),
        {"timestamp": "2020-02-29T14:34:46", "dataset_name": "Plate 9", "measurement": "Fluorescence spectroscopy"},
        None,
        (8,),
        {"User": "me", "Run no.": 4},
        name="made.csv",
    ),
    "names in quotes in a list": Export(
        'DF-ISE text\n\nInfo {\n  datasets  = [\n    "gate Voltage" "drain Current" "source Current" ]\n}\n\nData {\n'
        "-0.5 1e-5 2e-5\n-0.4 2e-5 3e-5\n-0.3 3e-5 4e-5\n}\n",
        {},
        (("gate Voltage", None), ("drain Current", None), ("source Current", None)),
        (3,),
    ),
    "EMSA pairs, two in a line": Export(
        "#FORMAT : EMSA/MAS Spectral Data File\n#TITLE : edge 7\n#DATE : 03-FEB-2021\n#TIME : 10:11\n#NPOINTS : 5.\n#NCOLUMNS : 2\n"
        "#XUNITS : Energy Loss (eV)\n#YUNITS : Intensity\n#DATATYPE : XY\n#SIGNALTYPE : ELS\n#XLABEL : Energy\n#YLABEL : Counts\n"
        "#BEAMKV   -kV: 200.0\n#CONVANGLE-mR: 1.5\n#SPECTRUM :\n520.5, 40.0, 523.5, 39.0\n526.5, 38.0, 529.5, 37.0\n532.5, 55.0\n#ENDOFDATA :\n",
        {"timestamp": "2021-02-03T10:11:00", "dataset_name": "edge 7", "measurement": "Electron energy-loss spectroscopy"},
        (("Energy", "eV"), ("Counts", None)),
        (5,),
        {"BEAMKV": Quantity(200.0, "kV"), "CONVANGLE": Quantity(1.5, "mrad")},
        name="made.msa",
    ),
    "EMSA in equal steps, cut": Export(
        "#FORMAT      : EMSA/MAS Spectral Data File\n#TITLE       : point 3\n#NPOINTS     : 9\n#XUNITS      : keV\n#YUNITS      : counts\n"
        "#DATATYPE    : Y\n#XPERCHAN    : 0.5\n#OFFSET      : -1.0\n#SIGNALTYPE  : EDS\n#SPECTRUM    :\n0., 3., 5.,\n7., 8., 9.,\n",
        {"measurement": "Energy-dispersive X-ray spectroscopy"},
        (("Energy", "keV"), ("Intensity", "counts")),
        (6,),
        name="made.msa",
        warns="announces 9 points",
    ),
    "IEC 61455": Export(
        "\n".join(
            ["A004DET1", "A004     3564.00     3600.00     10", "A00409/12/21 10:54:31 08/25/21 11:34:36"]
            + ["A004 1.00000000E+00 5.00000000E-01 0.00000000E+00 0.00000000E+00", "A004"]
            + ["A004      a stone"] + ["A004"] * 52 + ["A004     0        1        2        3        4        5", "A004     5        6        7        8        9       10"]
        ) + "\n",
        {"timestamp": "2021-09-12T10:54:31", "dataset_name": "a stone", "measurement": "Gamma-ray spectroscopy"},
        (("Channel", None), ("Energy", "keV"), ("Counts", "counts")),
        (10,),
        {"live time": Quantity(3564.0, "s")},
        name="made.iec",
    ),
    "a well log of version 1.2": Export(
        "~V\nVERS.   1.2:  CWLS\nWRAP.   NO:\n~W\nSTRT.M    635.0:\nNULL.   -999.25:\nWELL.     WELL:   DEEP 9\nFLD .    FIELD:   HILL\n"
        "DATE. LOG DATE:   13-DEC-88\n~C\nDEPT.M    : DEPTH\nRHOB.K/M3 : BULK DENSITY\nSP  .MV   : POTENTIAL\n~A\n"
        " 635.0  2256.0  123.5\n 634.5  -999.25  122.5\n 634.0  2258.0  121.5\n",
        {"timestamp": "1988-12-13", "dataset_name": "DEEP 9", "measurement": "Well logging"},
        (("DEPT", "M"), ("RHOB", "K/M3"), ("SP", "MV")),
        (3,),
        {"STRT": Quantity(635.0, "M"), "FLD": "HILL"},
        name="made.las",
    ),
    "a well log with wrapped rows": Export(
        "~Version\nVERS.  2.0 : CWLS\nWRAP.  YES : several lines\n~Well\nWELL. SHALLOW 2 : WELL\n~Curve\nDEPT.M :\nA.OHMM :\nB.V :\n~ASCII\n"
        "1.0\n2.5 3.5\n2.0\n4.5 5.5\n3.0\n6.5 7.5\n",
        {"dataset_name": "SHALLOW 2"},
        (("DEPT", "M"), ("A", "OHMM"), ("B", "V")),
        (3,),
        name="made.las",
    ),
    "peak lists": Export(
        "".join(
            f"BEGIN IONS\nTITLE=run.{at}\nPEPMASS=503.5 120.5\nCHARGE=2+\n110.5 12.5\n129.5 {at}\n175.5 9.5\nEND IONS\n" for at in (1, 2)
        ),
        {"measurement": "Mass spectrometry", "data_type": "MGF peak list"},
        (("m/z", None), ("Intensity", None)),
        (3, 3),
        {"spectrum_count": 2},
        name="made.mgf",
    ),
    "a library of peak lists": Export(
        "Name: Compound 7\nFormula: C2H6\nNum Peaks: 3\n15 100; 27 250;\n30 999\n\nName: Compound 8\nNum Peaks: 3\n16 1\n17 2\n18 3\n",
        {"measurement": "Mass spectrometry", "data_type": "MSP peak list"},
        (("m/z", None), ("Intensity", None)),
        (3, 3),
        name="made.msp",
    ),
    "CasaXPS with its fitted lines": Export(
        "Cycle 0:FeO:Fe2p\n\tCharacteristic Energy eV\t1.486610e+003\tAcquisition Time s\t2.5\nName\t\tFe 2p\tFe 2p\t\nPosition\t\t709.5\t716.5\t\n"
        "K.E.\tCounts\tFe 2p\tFe 2p\tEnvelope\t\tB.E.\tCPS\n7.5e+002\t1.5\t1\t1\t2\t\t7.3e+002\t0.5\n7.6e+002\t1.5\t1\t1\t2\t\t7.2e+002\t0.5\n",
        {"measurement": "X-ray photoelectron spectroscopy", "dataset_name": "FeO"},
        (("K.E.", "eV"), ("Counts", "counts"), ("Fe 2p", None), ("Fe 2p", None), ("Envelope", None), ("B.E.", "eV"), ("CPS", "counts/s")),
        (2,),
        {"Characteristic Energy": Quantity(1486.61, "eV"), "Position": [709.5, 716.5]},
    ),
    "an oscilloscope that says start and step beside the units": Export(
        "X,CH1,CH2,Start,Increment,\nSequence,Volt,Volt,-5.0e-04,1.0e-06\n0,4.5e-02,1.5,,\n1,4.5e-02,1.5,,\n2,5.5e-02,1.5,,\n",
        {"measurement": "Oscilloscope trace"},
        (("Time", "s"), ("CH1", "V"), ("CH2", "V")),
        (3,),
        {"Increment": Quantity(1e-6, "s")},
        name="made.csv",
    ),
    "an oscilloscope that names the time second": Export(
        "Record Length,Analog:4\nVertical Units,CH1:V\nModel Number,SDS9\nSource,CH1\nSecond,Volt\n-0.5,0.25\n-0.4,0.5\n-0.3,0.5\n-0.2,0.5\n",
        {"measurement": "Oscilloscope trace", "instrument_name": "Siglent SDS9"},
        (("Source", "Second"), ("CH1", "Volt")),
        (4,),
        name="made.csv",
    ),
    "a number before the date": Export(
        "LECROYWR9,53211,Waveform\nSegments,1,SegmentSize,4\nSegment,TrigTime,TimeSinceSegment1\n#1,17-Mar-2018 11:06:22,0\nTime,Ampl\n"
        "-0.5,-1.5\n-0.4,-1.6\n-0.3,-1.7\n-0.2,-1.8\n",
        {"timestamp": "2018-03-17T11:06:22", "instrument_name": "LECROYWR9"},
        (("Time", None), ("Ampl", None)),
        (4,),
        name="made.csv",
    ),
    "names of columns in numbered lines of a cast": Export(
        "* Sea-Bird SBE 9 Data File:\n* NMEA Latitude = 17 58.71 N\n** Ship: Amazon\n# name 0 = prDM: Pressure [db]\n# name 1 = t090C: Temperature [ITS-90, deg C]\n"
        "# start_time = Nov 16 2011 13:42:20 [header]\n*END*\n 1.0 28.5\n 2.0 28.25\n 3.0 28.0\n",
        {"timestamp": "2011-11-16T13:42:20", "instrument_name": "Sea-Bird SBE 9", "measurement": "CTD profile"},
        (("prDM: Pressure", "db"), ("t090C: Temperature (ITS-90)", "deg C")),
        (3,),
        {"NMEA Latitude": "17 58.71 N"},
        name="made.cnv",
    ),
    "a logger's zone in a title": Export(
        '"Plot Title: House 3"\n"#","Date Time, GMT-07:00","Temp, °F (LGR S/N: 1, SEN S/N: 2)","RH, % (LGR S/N: 1)","End Of File (LGR S/N: 1)"\n'
        "1,07/21/2015 12:00:00 PM,72.5,45.5,\n2,07/21/2015 12:15:00 PM,72.5,45.25,\n3,07/21/2015 12:30:00 PM,72.75,44.5,\n",
        {"timestamp": "2015-07-21T12:00:00-07:00", "dataset_name": "House 3"},
        (("#", None), ("Date Time, GMT-07:00", None), ("Temp (LGR S/N: 1, SEN S/N: 2)", "°F"), ("RH (LGR S/N: 1)", "%"), ("End Of File (LGR S/N: 1)", None)),
        (3,),
        name="made.csv",
    ),
    "a label before the names": Export(
        "Project:\tGum\nTest:\tCurve 3\n\nInterval data:\tPoint No.\tTime\tShear Rate\tViscosity\tStatus\n\t\t[s]\t[1/s]\t[mPa·s]\t[]\n\n"
        + "".join(f"\t{at}\t{at},5\t0,{at}5\t21082,{at}\tok\n" for at in range(1, 5)),
        {"dataset_name": "Curve 3", "measurement": "Rheology"},
        (("Point No.", None), ("Time", "s"), ("Shear Rate", "1/s"), ("Viscosity", "mPa·s"), ("Status", None)),
        (4,),
    ),
    "words with blanks between tabs": Export(
        "Sample Name\tMeasured on\tZ-Average (d.nm)\tPdI\tSize (d.nm)\n"
        + "".join(f"Gold {at}\tTuesday, 14 May 2019 10:2{at}:31\t43.{at}\t0.1{at}\t0.4\n" for at in range(3)),
        {"timestamp": "2019-05-14T10:20:31", "measurement": "Dynamic light scattering"},
        (("Sample Name", None), ("Measured on", None), ("Z-Average", "d.nm"), ("PdI", None), ("Size", "d.nm")),
        (3,),
        {},
        ("Gold 0", "Gold 1", "Gold 2"),
    ),
    "a result among the rows": Export(
        "area [cm²]:\t0.25\n***\ntime\tvoltage\tcurrent density\n[s]\t[V]\t[mA/cm²]\n0.5\t0.9\t-22.5\n1.5\t0.8\t-21.5\nmean power (half): -2.5E+1\n2.5\t0.9\t-22.5\n3.5\t0.9\t-22.5\n",
        {},
        (("time", "s"), ("voltage", "V"), ("current density", "mA/cm²")),
        (4,),
        {"mean power (half)": -25.0},
    ),
    "durations with fractions, a unit in brackets with colons": Export(
        "Record ID,Time(h:min:s.ms),Voltage(V),Temperature(℃),Capacity(mAh),Realtime\n"
        + "".join(f"{at},0:00:{at}0.000,3.{at},25.5,0.{at},2020-09-11 10:03:1{at}\n" for at in range(3)),
        {"timestamp": "2020-09-11T10:03:10", "measurement": "Battery cycling"},
        (("Record ID", None), ("Time(h:min:s.ms)", None), ("Voltage", "V"), ("Temperature", "℃"), ("Capacity", "mAh"), ("Realtime", None)),
        (3,),
        name="made.csv",
    ),
    "a record above the points": Export(
        '"Path","File","Date Acquired","Sample","Misc"\n"C:\\data\\","a.D","04 Sep 2020  10:54    ","blank 4"," "\n"TIC: a.D\\data.ms"\n0.5,1653.5\n0.6,1644.5\n0.7,1668.5\n',
        {"timestamp": "2020-09-04T10:54:00"},
        None,
        (3,),
        {"File": "a.D"},
        ("blank 4",),
        "made.txt",
    ),
    "a report without a table": Export(
        "ZAHNER polarization file\nSystem : CELL9\nControl : \nTime : JUL,02.2023\n\n12:56:56 - 13:01:57\n",
        {"timestamp": "2023-07-02", "instrument_name": "CELL9", "data_type": "Zahner data"},
        None,
        (),
    ),
    "settings with semicolons and a compact date": Export(
        "Viability Assay - cell counting; ;\nImage;a-1;\nOperator;me;\nViability (%);68.5;\nLive (cells/ml);2.5E6;\n ; ;\nVolume (ul);200.0;\n;\n;\n"
        "Instrument type;Counter 9\nDate time;20231120 163016\nLogin ID;admin\n",
        {"timestamp": "2023-11-20T16:30:16", "instrument_name": "Counter 9"},
        None,
        (),
        {"Viability": Quantity(68.5, "%"), "Live": Quantity(2.5e6, "cells/ml"), "Operator": "me"},
        name="made.csv",
    ),
    "titles in three lines": Export(
        'Cal_7,SampleName,Concentration, ,Area, \nDetectors,,"A:tcd"," ","A:tcd"," "\nTime (GMT 120 mins),,"H2","O2","H2","O2"\n'
        + "".join(f"2022-06-08 16:2{at}:13,Gas,0.{at},0.5,1{at}.5,2.5\n" for at in range(4))
        + "% RSD, ,56.5,100.0,56.5,5.5\n",
        {"timestamp": "2022-06-08T16:20:13"},
        (("Time (GMT 120 mins)", None), ("SampleName", None), ("H2 (Concentration)", None), ("O2 (Concentration)", None), ("H2 (Area)", None), ("O2 (Area)", None)),
        (4,),
        {},
        ("Gas",),
        "made.csv",
    ),
    "a key whose value stands below it, a column without a unit": Export(
        "Curve Name:\n DSC film 7\nPerformed 14.05.2018 09:22:31\nCurve Values:\n Index   t      Ts        Value\n [1]     [s]    [°C]      [mW]\n"
        " 0       0      25.5      -0.25\n 1       1      25.75     -0.5\n 2       2      26.5      -0.75\nResults:\nSample Weight: 5.5 mg\n",
        {"timestamp": "2018-05-14T09:22:31", "dataset_name": "DSC film 7"},
        (("Index", None), ("t", "s"), ("Ts", "°C"), ("Value", "mW")),
        (3,),
        {"Sample Weight": Quantity(5.5, "mg")},
    ),
    "a time without a blank, an instrument in the first line": Export(
        "TriStar II 3020 V1.03 (V1.03)   Unit 1   Serial #: 482   Page 1\n\nSample: stone\nStarted: 9/23/2016 4:11:02PM   Analysis Adsorptive: N2\n\n"
        "Relative Pressure (P/Po)\tQuantity Adsorbed (cm3/g STP)\n0.01\t52.5\n0.05\t60.5\n0.1\t66.5\n",
        {"timestamp": "2016-09-23T16:11:02", "instrument_name": "TriStar II 3020", "measurement": "Gas adsorption"},
        (("Relative Pressure (P/Po)", None), ("Quantity Adsorbed", "cm3/g STP")),
        (3,),
        {"Analysis Adsorptive": "N2"},
        ("stone",),
    ),
    "columns that are parts of a date, a row of units that is not all units": Export(
        "#YY  MM DD hh mm WDIR WSPD  ATMP  WTMP\n#yr  mo dy hr mn degT m/s   degC  degC\n"
        + "".join(f"2019 01 01 0{at} 50 33{at}  7.{at}  12.{at}  14.5\n" for at in range(4)),
        {"timestamp": "2019-01-01T00:50:00"},
        (("YY", "yr"), ("MM", "mo"), ("DD", "dy"), ("hh", "hr"), ("mm", "mn"), ("WDIR", "degT"), ("WSPD", "m/s"), ("ATMP", "degC"), ("WTMP", "degC")),
        (4,),
    ),
    "a unit for the first column only": Export(
        "Title\tC1s\nPass Energy\t20.0 eV\n\nBinding Energy (E)\tCounts / s\neV\t\n298.5\t1203.5\n298.0\t1188.5\n297.5\t1214.5\n",
        {"measurement": "X-ray photoelectron spectroscopy", "dataset_name": "C1s"},
        (("Binding Energy (E)", "eV"), ("Counts / s", None)),
        (3,),
        {"Pass Energy": Quantity(20.0, "eV")},
    ),
    "Philips": Export(
        "SampleIdent,stone ,/\nTitle1,program ,/\nDiffrType,PW3710,/\nAnode,Cu,/\nTubeCurrent, 40,/\nFileDateTime, 27-aug-2002 10:11 ,/\n"
        "DataAngleRange,   5.0100, 5.1100,/\nScanStepSize,    0.020,/\nRawScan\n    1003,   958,   977,\n     999,   946,  940/\n",
        {"timestamp": "2002-08-27T10:11:00", "measurement": "X-ray diffraction", "instrument_name": "Philips PW3710"},
        (("2theta", "deg"), ("Intensity", "counts")),
        (6,),
        {"TubeCurrent": Quantity(40, "mA"), "Anode": "Cu"},
        ("stone",),
        "made.udf",
    ),
    "an acquisition time in the middle of a sentence": Export(
        "D:\\data\\a.d\nIntensity Vs Time,CPS\nAcquired      : 2016-10-23 16:04:31 using Batch a.b\nTime [Sec],Mg24,Ca43\n0.25,108.5,4900.5\n0.5,107.5,4888.5\n0.75,120.5,4910.5\n",
        {"timestamp": "2016-10-23T16:04:31", "measurement": "Mass spectrometry"},
        (("Time", "Sec"), ("Mg24", None), ("Ca43", None)),
        (3,),
        name="made.csv",
    ),
    "VersaStudio": Export(
        "<Application>\nName=VersaStudio\n</Application>\n<Instrument>\nModel=CELL 9\n</Instrument>\n<Experiment>\nDate=6/9/2019\nTime=14:22:31\nUser=me\n</Experiment>\n"
        "<Action1>\nName=Potentiostatic EIS\nEnd Frequency (Hz)=0.5\n</Action1>\n<Segment1>\nDefinition=Segment #, E(V), Frequency(Hz), Zre(ohms), Zim(ohms)\n"
        "0,1.5,1.0E+005,5.5,-1.5\n0,1.5,7.9E+004,5.5,-1.5\n0,1.5,6.3E+004,5.75,-1.5\n</Segment1>\n",
        {"timestamp": "2019-06-09T14:22:31", "instrument_name": "PAR CELL 9", "measurement": "Electrochemical impedance spectroscopy"},
        (("Segment #", None), ("E", "V"), ("Frequency", "Hz"), ("Zre", "ohms"), ("Zim", "ohms")),
        (3,),
        {"User": "me", "End Frequency": Quantity(0.5, "Hz")},
        name="made.par",
    ),
    "PicoQuant": Export(
        "#PicoHarp 300 Histogram Data in ASCII\n#channels per curve\n4\n#ns/channel\n0.5000\n#counts\n12\n11\n530\n213\n",
        {"instrument_name": "PicoQuant PicoHarp 300", "measurement": "Time-correlated single photon counting"},
        (("Time", "ns"), ("Counts", "counts")),
        (4,),
        {"ns/channel": Quantity(0.5, "ns"), "channels per curve": 4},
        name="made.dat",
    ),
    "a fraction of a second behind the half of the day": Export(
        "Sourcefile\ta.MDC\nStart Time\t02/14/2013  10:33:41 AM.250\n\nTime Relative [s]\tIon Current [A]\n0.5\t1.5E-10\n1.5\t1.5E-10\n2.5\t1.25E-10\n",
        {"timestamp": "2013-02-14T10:33:41.250000", "measurement": "Mass spectrometry"},
        (("Time Relative", "s"), ("Ion Current", "A")),
        (3,),
    ),
    "a value for each curve": Export(
        "#EXPORTTYPE:\tDATA COMPARE\tDATA COMPARE\n#FORMAT:\tNETZSCH5\tNETZSCH5\n#MTYPE:\tDMA\tDMA\n#DATE/TIME:\t12.03.2018 10:22\t13.03.2018 11:02\n"
        "#SAMPLE:\tresin 1\tresin 2\n##Temp./°C\tE'/MPa\tTemp./°C\tE'/MPa\n25.5\t2501.5\t25.5\t2612.5\n26.5\t2499.5\t26.5\t2610.5\n27.5\t2495.5\t27.5\t2604.5\n",
        {"timestamp": "2018-03-12T10:22:00", "measurement": "Dynamic mechanical analysis"},
        (("Temp.", "°C"), ("E'", "MPa"), ("Temp.", "°C"), ("E'", "MPa")),
        (3,),
        {"SAMPLE": ["resin 1", "resin 2"]},
        ("resin 1",),
    ),
    "MDI": Export(
        "05/14/18 DIF stone 4\n  5.0000   0.0200 CN Cu 1.54060  5.1000   6\n   103   110    98   104\n    97   105\n",
        {"timestamp": "2018-05-14", "measurement": "X-ray diffraction", "dataset_name": "stone 4"},
        (("2theta", "deg"), ("Intensity", None)),
        (6,),
        {"anode": "Cu", "wavelength": Quantity(1.5406, "Å")},
        name="made.mdi",
    ),
    "two pairs in a line with blanks before the colon": Export(
        "=====\nAcq. Operator   : me                         Seq. Line :   3\nAcq. Instrument : GC-9                         Location : Vial 7\n"
        "Injection Date  : 5/21/2015 3:22:10 PM                Inj :   1\nSample Name: oil\n=====\n"
        "Area Percent Report\n\n 1   1.5   1234.5  45.5\n 2   2.5   987.5  36.5\n 3   3.5   514.5  18.5\n",
        {"timestamp": "2015-05-21T15:22:10", "instrument_name": "GC-9", "measurement": "Chromatography"},
        None,
        (3,),
        {"Acq. Operator": "me", "Seq. Line": 3, "Location": "Vial 7"},
        ("oil",),
    ),
    "names in two lines": Export(
        "\t\tTemp\tHi\tLow\tWind\nDate\tTime\tOut\tTemp\tTemp\tSpeed\n-----\n"
        + "".join(f"13/08/19\t12:{at}0\t22.{at}\t22.5\t21.5\t1.{at}\n" for at in range(4)),
        {},
        (("Date", None), ("Time", None), ("Temp Out", None), ("Hi Temp", None), ("Low Temp", None), ("Wind Speed", None)),
        (4,),
        warns="13/08/19",
    ),
    "carriage returns only": Export(
        "DOS  Format\rANZ 4\rJSS 0\rGST 3439.5\rGSI 120.0\rJCO a radical\rJDA 08/Jan/2012\rJTM 15:15\rMF  9.75\r",
        {"timestamp": "2012-01-08T15:15:00", "dataset_name": "a radical", "measurement": "Electron paramagnetic resonance"},
        None,
        (),
        {"MF": Quantity(9.75, "GHz")},
        name="made.par",
    ),
    "one name too few": Export(
        "6/25/2021 2:36:51 PM\ntime/s      E/V        I/A\n"
        + "".join(f"{at}.5E+00 {at}.25E-03  -3.5E-08 -2.5E-04 \n" for at in range(4)),
        {"timestamp": "2021-06-25T14:36:51"},
        (("time", "s"), ("E", "V"), ("I", "A"), ("column 4", None)),
        (4,),
    ),
    "a plate whose columns are counted": Export(
        "Device: reader 9,Serial number: 151\nMode,Absorbance\nWavelength,600,nm\nStart Time:,04.06.2018 10:22:35\n\n<>,1,2,3,4\n"
        "A,0.5,0.25,0.75,0.5\nB,0.25,0.5,0.5,0.75\nC,0.125,0.75,0.25,0.25\n",
        {"timestamp": "2018-06-04T10:22:35", "instrument_name": "reader 9"},
        None,
        (3,),
        {"Wavelength": Quantity(600, "nm")},
        name="made.csv",
    ),
    "a date at a time": Export(
        "New ASD spectrum file: Program version = 5.60\nSpectrum saved: 07/21/2012 at 11:09:55\nVNIR integration time : 68\n\n"
        "Wavelength\ta.001\n350\t0.5\n351\t0.25\n352\t0.75\n",
        {"timestamp": "2012-07-21T11:09:55", "instrument_name": "ASD"},
        (("Wavelength", None), ("a.001", None)),
        (3,),
    ),
    "numbered voltages and currents": Export(
        'Keysight B9A\n"Time Stamp","2017/05/02 14:22:31"\n\n"V1 (V)","I1 (A)","T1 (s)"\n-1.0,-1.5E-06,0.5\n-0.5,-9.5E-07,1.5\n0.0,-8.5E-07,2.5\n',
        {"timestamp": "2017-05-02T14:22:31", "instrument_name": "Keysight B9A", "measurement": "Current-voltage measurement"},
        (("V1", "V"), ("I1", "A"), ("T1", "s")),
        (3,),
        name="made.csv",
    ),
}  # fmt: skip


def extracted(path: Path, *companions: Path) -> Extraction:
    """What the text ingestor makes of the file, which it has to claim."""
    candidate = Candidate(path, companions)
    assert Dat().claim(candidate) is not None
    return Dat().extract(candidate)


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_what_a_person_reads_in_an_export_comes_out(tmp_path: Path, export: Export) -> None:
    """Attributes, columns with units, rows of each table, settings, samples, and no warning without a reason."""
    path = tmp_path / export.name
    path.write_bytes(export.text.encode())
    found = extracted(path)
    assert {key: found.attributes.get(key) for key in export.attributes} == export.attributes
    tables = found.scientific_metadata.get("tables") or [
        found.scientific_metadata[key] for key in ("table",) if key in found.scientific_metadata
    ]
    assert tuple(table["rows"] for table in tables) == export.rows
    if export.columns is not None:
        assert tuple((column["name"], column["unit"]) for column in tables[0]["columns"]) == export.columns
    fields = flat(dict(found.scientific_metadata))
    assert {key: fields.get(key) for key in export.fields} == export.fields
    if export.samples is not None:
        assert tuple(sample.name for sample in found.samples) == export.samples
    assert bool(found.warnings) == bool(export.warns)
    assert any(export.warns in warning for warning in found.warnings) or not export.warns
    assert found.thumbnails or export.rows in {(), (1,)}
    jsonable(found.scientific_metadata)


def test_an_epr_descriptor_reads_the_data_beside_it(tmp_path: Path) -> None:
    """The `.DSC` gives settings with their units and the axis, the `.DTA` the points, fewer of them with a warning."""
    path, data = tmp_path / "a.DSC", tmp_path / "a.DTA"
    path.write_text(
        "#DESC\t1.2 * DESCRIPTOR INFORMATION\n*\nDSRC\tEXP\nBSEQ\tBIG\nIKKF\tREAL\nYTYP\tNODATA\nIRFMT\tD\nXPTS\t5\nXMIN\t3300.0\nXWID\t40.0\n"
        "TITL\t'radical 7'\nIRNAM\t'Intensity'\nXNAM\t'Field'\nXUNI\t'G'\n#SPL\t1.2\nOPER\tme\nDATE\t07/12/21\nTIME\t10:22:51\nMWFQ\t9.5e+09\n"
        "#DSL\t1.0\n.DVC     acqStart, 1.0\n.DVC     ESR9 [1], 1.0\nQValue\t1800.5\n"
    )
    data.write_bytes(struct.pack(">4d", 1.0, 4.0, -4.0, -1.0))
    found = extracted(path, data)
    assert found.attributes["timestamp"] == "2021-07-12T10:22:51"
    assert found.attributes["dataset_name"] == "radical 7"
    assert found.scientific_metadata["MWFQ"] == Quantity(9.5e9, "Hz")
    assert found.scientific_metadata["table"]["columns"][0] == {
        "name": "Field",
        "unit": "G",
        "min": 3300.0,
        "max": 3330.0,
    }
    assert "announces 5 points" in found.warnings[0]
    assert extracted(path).thumbnails == ()


def test_older_epr_parameters_read_the_spectrum_beside_them(tmp_path: Path) -> None:
    """The `.par` gives settings with the units of its manual, the `.spc` four bytes a point."""
    path, data = tmp_path / "a.par", tmp_path / "a.spc"
    path.write_text(
        "ASF  1\nDOS  Format\nANZ 4\nJSS 0\nGST 3.300000E+03\nGSI 1.000000E+02\nJUN G\nJDA 18/Nov/2010\nJTM 10:32\nJCO radical 9\nMF  9.5\nRCT 40.96\n"
    )
    data.write_bytes(struct.pack("<5f", 1.0, 4.0, 0.0, -4.0, -1.0))
    found = extracted(path, data)
    assert found.attributes["timestamp"] == "2010-11-18T10:32:00"
    assert found.attributes["dataset_name"] == "radical 9"
    assert found.scientific_metadata["MF"] == Quantity(9.5, "GHz")
    assert found.scientific_metadata["table"]["columns"][0] == {
        "name": "Field",
        "unit": "G",
        "min": 3300.0,
        "max": 3400.0,
    }
    assert extracted(path).thumbnails == ()


def test_a_printed_report_of_fluorescence_is_read(tmp_path: Path) -> None:
    """Rigaku's pages have no table of numbers: what was analysed comes out with its units."""
    path = tmp_path / "a.txt"
    path.write_text(
        "PositionType              Application               Sample name                     Date            \n"
        "A-3     Quant analysis    CuTi on Si                film 8                          2021- 3- 9 10:19\n    \n"
        "Component            Film1        Cu          Ti     \nAnalyzed value           763      78.5      21.5\n"
        "Unit                      nm         at%         at%\n   \nElement line         Cu-KA       Cu-KA\n"
        "Peak/BG                 Peak         BG1\nMeas. intensity     42.5     0.125\n____\n"
    )
    found = extracted(path)
    assert found.attributes["timestamp"] == "2021-03-09T10:19:00"
    assert [sample.name for sample in found.samples] == ["film 8"]
    assert found.scientific_metadata["Analyzed value"]["Film1"] == Quantity(763, "nm")
    assert found.scientific_metadata["Meas. intensity"] == [42.5, 0.125]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Zre (ohms)", ("Zre", "ohms")),
        ("Time(Sec)", ("Time", "Sec")),
        ("Moment / emu/g", ("Moment", "emu/g")),
        ("f(T) fit", ("f(T) fit", None)),
        ("5 mL/min", ("5 mL/min", None)),
        ("Ratio a/b", ("Ratio a/b", None)),
    ],
)
def test_units_stand_in_many_places_of_a_title(title: str, expected: tuple[str, str | None]) -> None:
    """In brackets any known spelling, behind a blank what can be nothing else."""
    assert split_title(title) == expected


@pytest.mark.parametrize("word", ["Comment", "x", "(V)x", "Ohmcmx"])
def test_other_words_in_brackets_are_no_units(word: str) -> None:
    """A place where units stand makes no unit of a word."""
    assert not is_unit(word)
