"""Build the functions' artefacts into .local/packages, and print how large they are.

python -m infra.packaging                          all of them, for Lambda
python -m infra.packaging chat --platform local    one of them, to run on this machine
"""

from __future__ import annotations

import argparse
import sys

from infra.local.settings import StackError
from infra.packaging.artifacts import FUNCTIONS
from infra.packaging.building import build_all
from infra.packaging.platforms import PLATFORMS


def main() -> int:
    options = _options()
    platform = PLATFORMS[options.platform]()
    try:
        artifacts = build_all(options.functions or FUNCTIONS, platform)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{'function':<15}{'zip':>10}{'unzipped':>12}")
    for each in artifacts:
        print(f"{each.function:<15}{each.zipped_bytes / 1e6:>7.1f} MB{each.unzipped_bytes / 1e6:>9.1f} MB")
    if platform.interpreter is None:
        print(
            f"\nWithout bytecode: no Python {platform.python} was found, so every cold start compiles what it"
            f" imports. Install one (`.venv/bin/uv python install {platform.python}`), or name it with"
            " LAMBDA_PYTHON."
        )
        return 1 if options.bytecode else 0
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.packaging",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("functions", nargs="*", choices=[[], *FUNCTIONS], metavar="function")
    parser.add_argument("--platform", choices=PLATFORMS, default="lambda")
    parser.add_argument("--bytecode", action="store_true", help="fail where no bytecode can be made")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
