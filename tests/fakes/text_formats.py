"""Files of formats that have a reader of their own, and what a person reads in them. Every text is made up, only its form is a real program's."""

from __future__ import annotations

from ingestors.api import Quantity
from tests.fakes.text_tables import Export

FORMATS = {
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
    "a report without a table": Export(
        "ZAHNER polarization file\nSystem : CELL9\nControl : \nTime : JUL,02.2023\n\n12:56:56 - 13:01:57\n",
        {"timestamp": "2023-07-02", "instrument_name": "CELL9", "data_type": "Zahner data"},
        None,
        (),
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
    "MDI": Export(
        "05/14/18 DIF stone 4\n  5.0000   0.0200 CN Cu 1.54060  5.1000   6\n   103   110    98   104\n    97   105\n",
        {"timestamp": "2018-05-14", "measurement": "X-ray diffraction", "dataset_name": "stone 4"},
        (("2theta", "deg"), ("Intensity", None)),
        (6,),
        {"anode": "Cu", "wavelength": Quantity(1.5406, "Å")},
        name="made.mdi",
    ),
    "carriage returns only": Export(
        "DOS  Format\rANZ 4\rJSS 0\rGST 3439.5\rGSI 120.0\rJCO a radical\rJDA 08/Jan/2012\rJTM 15:15\rMF  9.75\r",
        {"timestamp": "2012-01-08T15:15:00", "dataset_name": "a radical", "measurement": "Electron paramagnetic resonance"},
        None,
        (),
        {"MF": Quantity(9.75, "GHz")},
        name="made.par",
    ),
}  # fmt: skip
