"""Chooses which of the inputs that a run has found stay in the corpus: those that reach most of what no other input reaches.

    keep.py PROGRAM CORPUS FOUND

Files whose names are words were written by people, and stay. Files whose names are a hash were found, and only so many stay that
the folder can be looked through.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MOST_FOUND = 60


def main(program, corpus, found):
    reached = features(program, corpus, found)
    by_people = [path for path in reached if not is_found(path)]
    known = set().union(*(reached.pop(path) for path in by_people))
    chosen = choose(reached, known)
    kept = {path.name: path.read_bytes() for path in chosen}
    for path in filter(is_found, corpus.iterdir()):
        path.unlink()
    for name, content in kept.items():
        (corpus / name).write_bytes(content)
    print(f"{corpus}: {len(by_people)} inputs by people, {len(kept)} found")


def is_found(path):
    return re.fullmatch("[0-9a-f]{40}", path.name) is not None


def choose(reached, known):
    """Always the one that adds most; of equals the smallest, then the first by name."""
    chosen = []
    while reached and len(chosen) < MOST_FOUND:
        best = max(reached, key=lambda path: (len(reached[path] - known), -path.stat().st_size, path.name))
        if not reached[best] - known:
            break
        known |= reached.pop(best)
        chosen.append(best)
    return chosen


def features(program, corpus, found):
    """What each file reaches, as libFuzzer notes it when it merges."""
    with tempfile.TemporaryDirectory() as folder:
        notes, merged = pathlib.Path(folder) / "notes", pathlib.Path(folder) / "merged"
        merged.mkdir()
        # Which places are reached is counted, not how often.
        options = ["-merge=1", "-use_counters=0", f"-merge_control_file={notes}"]
        subprocess.run([program, *options, merged, corpus, found], check=True, capture_output=True)
        lines = notes.read_text().splitlines()
    count = int(lines[0])
    paths = [pathlib.Path(line) for line in lines[2 : 2 + count]]
    words = (line.split() for line in lines[2 + count :])
    return {paths[int(number)]: set(which) for kind, number, *which in words if kind == "FT"}


main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
