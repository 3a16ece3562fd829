"""The command line: parsing, one verb, words on stderr, data on stdout."""
