"""Citations and the statute register (法规库): naming, parsing and checking a legal basis."""
