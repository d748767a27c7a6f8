"""Copies of files that came to be imported: deleted when nobody needs them, kept for a run that is still to come."""

import os
import time

from stores.importers.incoming import KEPT_SECONDS, open_incoming, reopen, tidy_uploads


def test_a_kept_file_outlives_its_process_and_others_do_not(data_dir):
    kept, other = open_incoming("kept"), open_incoming("../a b.json")
    kept.append(b"{}")
    kept.keep()
    for file in (kept, other):
        file.release()
    tidy_uploads()
    assert reopen(other.key) is None
    again = reopen(kept.key)
    assert again is not None
    assert again.path.read_bytes() == b"{}"
    # One that is in use is nobody else's.
    assert reopen(kept.key) is None
    again.release()
    long_ago = time.time() - KEPT_SECONDS - 1
    os.utime(kept.folder / "kept", (long_ago, long_ago))
    tidy_uploads()
    assert reopen(kept.key) is None
    assert reopen("") is None
    assert reopen("../../etc/passwd") is None
