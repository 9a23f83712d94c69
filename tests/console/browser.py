"""The Chromium of this machine."""

from __future__ import annotations

import shutil

CHROMIUM = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
