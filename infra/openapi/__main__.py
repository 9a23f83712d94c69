"""`make openapi`: write the description of the whole API into the file that `health` serves.

A test keeps the file true to the code. After a merge conflict in it, take either side and write it anew.
"""

from __future__ import annotations

import os

from infra.openapi.merging import FILE, document, written

# Handlers read their settings when they are imported; nothing is called.
os.environ |= {
    "STAGE": "local",
    "SUPABASE_URL": "http://127.0.0.1:9",
    "SUPABASE_PUBLISHABLE_KEY": "none",
    "SUPABASE_SECRET_KEY": "none",
    "INCOMING_WEBHOOK_SECRETS": f"whsec_{'A' * 32}",
}
FILE.write_text(written(document()), "utf-8")
