"""The ledger: markdown and git. Bytes in, bytes out; what was not meant to change does not."""
