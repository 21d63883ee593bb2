"""labferry's service: watches an instrument's folders and delivers finished measurements to data catalogs."""
