"""What the fork server of `tests.warm` reads before it forks: all of the product."""

import gc
import importlib
import pkgutil
import re

import faultbook

for _found in pkgutil.walk_packages(faultbook.__path__, "faultbook."):
    if not re.search(r"\.(?:migrations\.|__main__$)", _found.name):
        importlib.import_module(_found.name)
for _name in (
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "uvloop",
    "tests.journeys.whole",
):
    importlib.import_module(_name)
gc.collect()
gc.freeze()  # what is read here is shared with every fork
