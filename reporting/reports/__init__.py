"""Reports: what is found in the rows (`rows`), said in sections, made whole (`make`) and drawn (`rendering`)."""
