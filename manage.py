#!/usr/bin/env python
"""Run bigagi's commands; `manage.py start` sets everything up and serves."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")
    execute_from_command_line(sys.argv)
