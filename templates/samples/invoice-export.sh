#!/bin/sh
# Writes the invoices of this minute.
set -eu
{
    echo "invoice,customer,amount"
    for number in 1 2 3; do
        echo "$(date -u +%Y%m%d%H%M%S)-$number,c_88$number,$((number * 40)).00 EUR"
    done
} > invoices.csv
echo "wrote $(wc -l < invoices.csv) lines to invoices.csv"
