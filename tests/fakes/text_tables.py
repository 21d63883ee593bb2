"""Exports of tables whose habits were once misread, and what a person reads in them. Every text is made up, only its form is a real program's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestors.api import Quantity


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


TABLES = {
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
}  # fmt: skip
