#!/bin/sh
# Says that all went well and writes nothing: the failure that exit codes hide.
echo "fetched 0 prices"
echo "done, all good"
