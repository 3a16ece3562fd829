"""A sample agent: takes its tasks over HTTP, says how far it is, and brings what proves them."""

import csv
import io
import os
import time

from faultbook.client import Client, Task

PAGES = 9


def export(task: Task) -> bytes:
    """Export the invoices of a task, page by page."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(["task", "page", "invoice", "amount"])
    for page in range(1, PAGES + 1):
        task.progress(f"page {page} of {PAGES}")
        time.sleep(0.7)
        writer.writerow([task.id, page, f"R-{page:03}", f"{page * 40}.00 EUR"])
    return sheet.getvalue().encode()


if __name__ == "__main__":
    for task in Client().tasks("invoice-bot", worker=f"invoice-bot-{os.getpid()}"):
        with task:
            task.artifact("invoices.csv", export(task), media_type="text/csv")
