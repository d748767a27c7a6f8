"""How much is tried of what could be tried for ever: all that a night has time for, or less."""

import os

IS_NIGHT = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
