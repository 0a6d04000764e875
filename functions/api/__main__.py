"""``python -m functions.api > docs/openapi.json`` writes the API's description anew.

With ``access`` it prints the table of docs/access.md instead.
"""

import json
import sys

from functions.api import app  # noqa: F401 - it gathers the operations
from functions.api.access_table import table
from functions.api.openapi import document

if __name__ == "__main__":
    print(table() if sys.argv[1:] == ["access"] else json.dumps(document(), indent=1, ensure_ascii=False))
