"""A sample agent: claims its tasks over HTTP, says how far it is, and closes with an artifact."""

import csv
import io
import json
import os
import secrets
import time

from faultbook.base.errors import FaultbookError
from faultbook.client.http import HttpClient

PAGES = 9


def main() -> None:
    client = HttpClient(os.environ["FAULTBOOK_URL"], os.environ["FAULTBOOK_TOKEN"])
    ask = json.dumps({"worker": f"invoice-bot-{os.getpid()}", "wait_seconds": 20}).encode()
    while True:
        try:
            claim = client.claim_task(ask, secrets.token_hex(16), wait=20)
            if claim is not None:
                export(client, claim)
        except FaultbookError as error:
            print(f"{error.message} {error.next_step}", flush=True)
            time.sleep(1)


def export(client: HttpClient, claim: dict) -> None:
    task, lease = claim["task"]["id"], claim["lease"]["id"]
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(["task", "page", "invoice", "amount"])
    for page in range(1, PAGES + 1):
        told = {"lease": lease, "text": f"page {page} of {PAGES}"}
        client.tell_task(task, "progress", json.dumps(told).encode())
        time.sleep(0.7)
        writer.writerow([task, page, f"R-{page:03}", f"{page * 40}.00 EUR"])
    data = sheet.getvalue().encode()
    client.put_artifact(claim["run_id"], "invoices.csv", [data], "text/csv")
    client.tell_task(task, "close", json.dumps({"lease": lease, "verdict": "passed"}).encode())


if __name__ == "__main__":
    main()
