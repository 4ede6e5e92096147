"""Set up CLO Desktop on this machine and carry out one verb: run, test, bench or package.

    python3 packaging/bootstrap.py run|test|bench|package [-- further arguments]

Only the standard library is used. Pythons from 3.6 can read this file, to be told where a newer one is.
"""

import shutil
import subprocess
import sys

OLDEST = (3, 11)
KNOWN = ((3, 11), (3, 12), (3, 13), (3, 14))


def newer_python() -> "str | None":
    """The first Python of 3.11 and later on the PATH that really starts, as a path; None where there is none."""
    for major, minor in KNOWN:
        name = f"python{major}.{minor}"
        found = shutil.which(name)
        if found is None:
            continue
        probe = [found, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        if subprocess.call(probe, stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def main() -> int:
    """The exit code of the verb; 1 with one sentence on the error output where it cannot be carried out."""
    if sys.version_info < OLDEST:
        newer = newer_python()
        if newer is None:
            here = f"{sys.version_info[0]}.{sys.version_info[1]}"
            sys.stderr.write(
                f"CLO Desktop needs Python 3.11 or newer and this is Python {here}; install a newer one "
                "(on Debian 12: apt-get install python3) and run the same command with it.\n"
            )
            return 1
        return subprocess.call([newer, __file__, *sys.argv[1:]])
    import verbs

    return verbs.carry_out(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
