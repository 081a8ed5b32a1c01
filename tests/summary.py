#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One closing line from meson's log of a test run: how many passed, failed, and were skipped."""
import json
import sys

counts = {"passed": 0, "failed": 0, "skipped": 0}
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        result = json.loads(line)["result"]
        counts["passed" if result in ("OK", "EXPECTEDFAIL") else "skipped" if result == "SKIP" else "failed"] += 1
print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
