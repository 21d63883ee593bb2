"""More exports of tables whose habits were once misread, and what a person reads in them. Every text is made up, only its form is a real program's."""

from __future__ import annotations

from ingestors.api import Quantity
from tests.fakes.text_tables import Export

MORE_TABLES = {
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
    "an acquisition time in the middle of a sentence": Export(
        "D:\\data\\a.d\nIntensity Vs Time,CPS\nAcquired      : 2016-10-23 16:04:31 using Batch a.b\nTime [Sec],Mg24,Ca43\n0.25,108.5,4900.5\n0.5,107.5,4888.5\n0.75,120.5,4910.5\n",
        {"timestamp": "2016-10-23T16:04:31", "measurement": "Mass spectrometry"},
        (("Time", "Sec"), ("Mg24", None), ("Ca43", None)),
        (3,),
        name="made.csv",
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
