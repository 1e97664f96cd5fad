"""The shared nouns: site, asset, point, reading, finding, units, clock, errors. Pure values, no I/O."""
