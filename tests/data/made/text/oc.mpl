EC-Lab LOG FILE

Open Circuit Voltage

Run on channel : 1 (SN 14990)
User : 
Electrode connection : standard
Potential control : Ewe
Ewe ctrl range : min = -2.50 V, max = 2.50 V
Acquisition started on : 12/02/2022 13:59:27.245
Saved on :
	File : multi_technique_03_OCV_C01.mpr
Device : SP-300 (SN 1111)
Electrode surface area : 0.001 cm²
tR (h:m:s)          0:00:5.0000         
dER/dt (mV/h)       1.0                 
