"""From readings to findings: conditions, rules, the engine and the shipped catalogue. Pure."""
