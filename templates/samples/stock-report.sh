#!/bin/sh
# Leaves yesterday's report where it is, and says that it is there.
set -eu
test -s stock.csv
echo "report is in place: $(wc -l < stock.csv) lines"
