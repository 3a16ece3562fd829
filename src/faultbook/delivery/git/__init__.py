"""Git, going out: the ledger's operations, pushed in order."""
