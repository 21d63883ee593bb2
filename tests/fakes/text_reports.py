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
}  # fmt: skip
