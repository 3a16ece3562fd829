#!/bin/sh
# Connects to a CRM that is not there.
set -eu
echo "connecting to 127.0.0.1:9"
exec "$SAMPLE_PYTHON" - <<'PYTHON'
import socket
import sys

try:
    socket.create_connection(("127.0.0.1", 9), timeout=2).close()
except OSError as error:
    sys.exit(f"crm-sync: 127.0.0.1:9 does not answer: {error}")
print("connected")
PYTHON
