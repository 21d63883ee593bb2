"""The catalogs that datasets go to. No database here: what must survive a restart is remembered through `Attempt`."""
