"""Printed reports, logs and exports with habits of their own, and what a person reads in them. Every text is made up."""

from __future__ import annotations

from ingestors.api import Quantity
from tests.fakes.text_tables import Export

REPORTS = {
    "a printed report with words between wide blanks": Export(
        "Search Report\n\nData File : a_7.D\nAcq On    : 14 Mar 2019  15:42\nOperator  : me\nSample    : oil 7\nMisc      : \n"
        "ALS Vial  : 6   Sample Multiplier: 2\n\nPK     RT     Area Pct   Library/ID   Ref   CAS     Qual\n"
        "1   3.5101   12.5411   Made up A   1003   000001-01-1   95\n2   5.5820   8.5210   Made B   2001   000002-02-2   97\n"
        "3   7.5200   1.5230   C   3002   000003-03-3   91\n",
        {"timestamp": "2019-03-14T15:42:00", "data_type": "Text table"},
        (("PK", None), ("RT", None), ("Area Pct", None), ("Library/ID", None), ("Ref", None), ("CAS", None), ("Qual", None)),
        (3,),
        {"Operator": "me", "Sample Multiplier": 2},
        ("oil 7",),
    ),
    "a unit behind a wavelength, samples in a column": Export(
        "Sample Labels,Date Time,Type,Al 396.152 nm ppm,Fe 238.204 nm mg/L\nBlank,2020-10-02 09:12:05,BLK,0.25,0.5\n"
        "Std 1,2020-10-02 09:14:41,STD,1.25,1.5\nStd 2,2020-10-02 09:22:10,STD,2.25,2.5\n",
        {"timestamp": "2020-10-02T09:12:05"},
        (("Sample Labels", None), ("Date Time", None), ("Type", None), ("Al 396.152 nm", "ppm"), ("Fe 238.204 nm", "mg/L")),
        (3,),
        samples=("Blank", "Std 1", "Std 2"),
        name="made.csv",
    ),
    "a log with a zone in its first sentence": Export(
        "Log started 2020-08-12T06:00:00Z on buoy 9\ntime_utc,depth_m,temp_C,sal_psu\n"
        + "".join(f"2020-08-12T06:00:{at}0Z,{at}.5,18.5,34.5\n" for at in range(4)),
        {"timestamp": "2020-08-12T06:00:00+00:00"},
        (("time_utc", None), ("depth", "m"), ("temp", "C"), ("sal", "psu")),
        (4,),
    ),
    "an instrument's answer to *IDN?": Export(
        "!Agilent Technologies,N9999A,MY01234567,A.01.50\n!Date: Friday, May 18, 2012 15:22:31\nBEGIN CH1_DATA\n"
        "Freq(Hz),S11(DB),S21(DB)\n1000000000,-12.5,-3.5\n1100000000,-12.25,-3.25\n1200000000,-12.75,-3.75\nEND\n",
        {"timestamp": "2012-05-18T15:22:31", "instrument_name": "Agilent Technologies N9999A", "measurement": "Network analysis"},
        (("Freq", "Hz"), ("S11", "DB"), ("S21", "DB")),
        (3,),
        name="made.csv",
    ),
    "day and time of day in two lines": Export(
        "14.06.2018\n15:22:31\nwafer 7\nIntegration time: 0.5 s\n\nWavelength\tIntensity\nnm\tcounts\n350\t1\n351\t3\n352\t2\n",
        {"timestamp": "2018-06-14T15:22:31"},
        (("Wavelength", "nm"), ("Intensity", "counts")),
        (3,),
        {"Integration time": Quantity(0.5, "s")},
    ),
    "a time of day with points": Export(
        "[Sample Details]\nSample Name:,particles 9\nDate:,Tue 13 Oct 2015 15.22.31\n[Size Data]\nBin (nm),Count\n10.5,2\n20.5,4\n30.5,3\n",
        {"timestamp": "2015-10-13T15:22:31"},
        (("Bin", "nm"), ("Count", None)),
        (3,),
        samples=("particles 9",),
        name="made.csv",
    ),
    "a transistor's gate and drain": Export(
        "GateV\tGateI\tDrainV\tDrainI\n-1.0\t1.5E-12\t0.5\t2.5E-9\n-0.5\t1.0E-12\t0.5\t2.5E-8\n0.0\t1.25E-12\t0.5\t1.5E-7\n",
        {"measurement": "Current-voltage measurement"},
        None,
        (3,),
    ),
    "spectra beside a time, wavelengths as names": Export(
        "Time [s],400.0,400.5,401.0,401.5\n0,12,13,15,14\n10,22,24,25,23\n20,31,33,36,35\n",
        {},
        (("Time", "s"), ("400.0", None), ("400.5", None), ("401.0", None), ("401.5", None)),
        (3,),
        name="made.csv",
    ),
    "a method in the first line": Export(
        "ITC run: made-up protein\nCell Conc (mM) = 0.25\nRun date = 2014/07/09 17:02:11\n\n"
        "Inj\tVolume (µL)\tHeat (µcal)\n1\t2.0\t-3.5\n2\t2.0\t-4.5\n3\t2.0\t-2.5\n",
        {"timestamp": "2014-07-09T17:02:11", "measurement": "Isothermal titration calorimetry"},
        (("Inj", None), ("Volume", "µL"), ("Heat", "µcal")),
        (3,),
        {"Cell Conc": Quantity(0.25, "mM")},
    ),
    "units that are mostly known, empty cells, and degrees of another code page": Export(
        " Station      ;Here;;;;;;;\n Latitude;46.5;\u00f8N;;;;;;\n missing data;-99;;;;;;;\n\n;;;;;;;;\nDate; jo;POA;    Ta ; HR ;   pr;;;\n;;W/m2;\u00f8C;%;mb;;;\n"
        + "".join(f"01.01.06 0{at}:00;1;0.{at};8.{at};8{at};1008.{at};;;\n" for at in range(1, 5)),
        {"timestamp": "2006-01-01T01:00:00"},
        (("Date", None), ("jo", None), ("POA", "W/m2"), ("Ta", "\u00f8C"), ("HR", "%"), ("pr", "mb")),
        (4,),
        {"Station": "Here"},
        name="made.csv",
    ),
    "settings that look like a table, a date beside its time of day": Export(
        "Program,xP,,Flex 9,,\nBuild,4.3.9.1,,,,\nDate,01/01/2024,2:00 AM,,,\n,,,,,\nSN,12,,,,\nBatch,34,,,,\nVersion,1,,,,\nOperator,me,,,,\n,,,,,\n"
        "DataType:,Median,,,,\nLocation,Sample,a1,a2,a3,Total Events\n"
        + "".join(f'"{at}(1,A{at})",S{at},1{at},2{at},,0\n' for at in range(1, 5)),
        {"timestamp": "2024-01-01T02:00:00"},
        (("Location", None), ("Sample", None), ("a1", None), ("a2", None), ("a3", None), ("Total Events", None)),
        (4,),
        {"Operator": "me", "Batch": 34},
        ("S1", "S2", "S3", "S4"),
        name="made.csv",
    ),
    "stray numbers above rows that are half words": Export(
        ",,,,,,,FAM,,,\nRun name,Group,Sample,Well,DF,QC,Total,Target,Conc.,SD,QC Message\n,,,Mean,,,20407.5,,1905.5,4190.5,\n"
        + "".join(f"R 1,,S {at},A{at},1/1.0,PASS,2040{at},T 1,39{at}.5,,PASS: fine\n" for at in range(1, 4)),
        {},
        None,
        (4,),
        samples=("S 1", "S 2", "S 3"),
        name="made.csv",
    ),
    "a version that is no date, a time with its zone": Export(
        "Device ID,Software Version,Measurement Time,Sample ID,Well,Spots,Size,Load\n"
        + "".join(f"D 1,7.0.38.8,2023-02-15T16:39:42+00:00,P_A{at},A{at},{at}.0,1{at}.5,0.{at}\n" for at in range(1, 4)),
        {"timestamp": "2023-02-15T16:39:42+00:00"},
        None,
        (3,),
        samples=("P_A1", "P_A2", "P_A3"),
        name="made.csv",
    ),
    "RKH": Export(
        " LOQ Wed 28-AUG-2018 15:35 Workspace: \n Made up 9\n    3    0    0    0    1    3    0\n         0         0         0         0\n 3 (F12.5,2E16.6)\n"
        + "".join(f"     0.0{at}550    6.5e-0{at}    1.5e-01    8.5e-04\n" for at in range(1, 4)),
        {"timestamp": "2018-08-28T15:35:00", "dataset_name": "Made up 9", "instrument_name": "LOQ", "measurement": "Small-angle neutron scattering"},
        None,
        (3,),
    ),
    "a program's output with its time": Export(
        "# Output from Made Tue Jun 19 16:28:09 2018\n#----\n  k  chi\n  0.00    0.5\n  0.05    0.25\n  0.10    0.75\n",
        {"timestamp": "2018-06-19T16:28:09", "measurement": "X-ray absorption spectroscopy"},
        (("k", None), ("chi", None)),
        (3,),
    ),
    "units in a list of the columns": Export(
        "# Date begin (ISO 8601): 2019-01-01T00:00:00.0\n# Columns:\n# 1. Period (ISO 8601)\n# 2. TOA. Irradiation at the top (Wh/m2)\n# 3. GHI. Irradiation on the ground (Wh/m2)\n#\n"
        "# Period;TOA;GHI\n2019-01-01T00:00:00.0/2019-02-01T00:00:00.0;50.5;29.5\n2019-02-01T00:00:00.0/2019-03-01T00:00:00.0;91.5;59.5\n"
        "2019-03-01T00:00:00.0/2019-04-01T00:00:00.0;172.5;121.5\n",
        {"timestamp": "2019-01-01T00:00:00"},
        (("Period", None), ("TOA", "Wh/m2"), ("GHI", "Wh/m2")),
        (3,),
        name="made.csv",
    ),
    "viability": Export(
        "NAME,SAMPLE ID,LIVE (cells/ml),VIABILITY (%),DIAMETER (µm)\nx-1,a,1.5E+06,95.5,12.5\nx-2,b,1.25E+06,94.5,11.5\nx-3,c,1.75E+06,93.5,13.5\n",
        {"measurement": "Cell counting"},
        (("NAME", None), ("SAMPLE ID", None), ("LIVE", "cells/ml"), ("VIABILITY", "%"), ("DIAMETER", "µm")),
        (3,),
        samples=("a", "b", "c"),
        name="made.csv",
    ),
    "a path of FEFF": Export(
        " Cu  made up                                           Feff XX 6.10\n Abs   Z=29 Rmt= 1.5 Rnm= 1.25 K shell\n Path    1      icalc       2\n ------\n"
        "   2  12.000   2.5    2.5   -5.5 nleg, deg, reff, rnrmav(bohr), edge\n        x         y         z   pot at#\n      .0000     .0000     .0000  0  29 Cu       absorbing atom\n"
        "    k   real[2*phc]   mag[feff]  phase[feff] red factor   lambda     real[p]@#\n"
        + "".join(f"   .{at}00  3.5E+00  0.5E+00 -5.5E+00  9.5E-01  1.5E+01  1.{at}E+00\n" for at in range(3)),
        {"data_type": "FEFF scattering path"},
        (("k", "1/Å"), ("real[2*phc]", None), ("mag[feff]", None), ("phase[feff]", None), ("red factor", None), ("lambda", "Å"), ("real[p]", "1/Å")),
        (3,),
    ),
    "a size with its unit above the rows": Export(
        "Version\t2.0\nInstrument\tDSC Q9 V1\nSample\tstone\nSize\t28.5\tmg\nDate\t20-Jan-2025\nTime\t13:42:03\nNsig\t3\n"
        "Sig1\tTime (min)\nSig2\tTemperature (°C)\nSig3\tHeat Flow (mW)\nStartOfData\n0.5\t30.5\t-0.5\n1.5\t31.5\t-1.5\n2.5\t32.5\t-2.5\n",
        {"timestamp": "2025-01-20T13:42:03", "measurement": "Differential scanning calorimetry"},
        (("Time", "min"), ("Temperature", "°C"), ("Heat Flow", "mW")),
        (3,),
        samples=("stone",),
    ),
    "units with a factor": Export(
        "# z (A) rho (1e-6/A2) irho (1e-6/A2)\n0.0 1.5 0.5\n1.0 2.5 0.5\n2.0 1.5 0.5\n",
        {},
        (("z", "A"), ("rho", "1e-6/A2"), ("irho", "1e-6/A2")),
        (3,),
        name="made.dat",
    ),
    "a spectrometer's header in Japanese": Export(
        "SpectraSuiteデータファイル\n+++++\n日時: Mon Jun 11 14:59:44 JST 2018\n分光器: USB9\nスペクトル平均: 5\n>>>>>Begin Processed Spectral Data<<<<<\n"
        "176.5\t0.5\n177.5\t1.5\n178.5\t0.25\n>>>>>End Processed Spectral Data<<<<<\n",
        {"timestamp": "2018-06-11T14:59:44+09:00", "instrument_name": "USB9"},
        None,
        (3,),
    ),
    "a geometry of a rheometer, counts a minute": Export(
        "Instrument name\tR 9\nrundate\t2025-10-24\nSample name\tgel\nGeometry name\tParallel Plate\n\n[step]\nNumber of points\t3\n"
        "Variables\tTime\tStorage modulus\tRate (cpm)\n\ts\tPa\tcpm\ndata point 1\t0.1\t1000\t500\ndata point 2\t0.2\t1200\t600\ndata point 3\t0.3\t1400\t700\n",
        {"timestamp": "2025-10-24", "measurement": "Rheology"},
        (("Variables", None), ("Time", "s"), ("Storage modulus", "Pa"), ("Rate", "cpm")),
        (3,),
        samples=("gel",),
    ),
    "a day of the week before a date": Export(
        "Report\nSample: P 9\nInject date: Tuesday 03/20/18 10:21:14\nEluent: THF\n\nVolume [ml]\tRI [V]\tUV [V]\n5.0\t0.5\t0.25\n5.5\t0.75\t0.5\n6.0\t0.5\t0.125\n",
        {"timestamp": "2018-03-20T10:21:14"},
        (("Volume", "ml"), ("RI", "V"), ("UV", "V")),
        (3,),
        samples=("P 9",),
    ),
}  # fmt: skip
