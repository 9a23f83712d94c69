#!/bin/sh
# Installs what the project needs into .venv and node_modules; called by make when a stamp file is missing or old.
#   setup.sh python    the virtual environment, with Python >= 3.11
#   setup.sh node      the Node packages
# PYTHON names the interpreter to use; otherwise the first fitting one on the PATH is taken.
set -eu

fail() {
  printf '\nerror: %s\n' "$1" >&2
  exit 1
}

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  if [ -n "${PYTHON:-}" ]; then
    new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed; found $(python3 --version 2>&1 || echo none). Install one from https://www.python.org, or name it: make dev PYTHON=/path/to/python3"
}

case "$1" in
  python)
    python=$(find_python)
    echo "Installing the Python packages into .venv ($("$python" --version)); the first time takes a minute."
    rm -rf .venv/.installed
    "$python" -m venv .venv || fail "Python cannot create a virtual environment. On Debian and Ubuntu: apt install python3-venv"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --retries 2 -r requirements-dev.txt ||
      fail "Installing the Python packages failed: the reason is above. Is there a network connection?"
    touch .venv/.installed
    ;;
  node)
    version=$(node --version 2>/dev/null) || fail "Node 20.19 or newer is needed, and there is no \`node\` on the PATH. Install it from https://nodejs.org"
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
      process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major >= 24 ? 0 : 1)' ||
      fail "Node 20.19, 22.13, 24 or newer is needed; this is $version. Install one from https://nodejs.org"
    command -v npm >/dev/null || fail "Node is here but \`npm\` is not: install it too."
    echo "Installing the Node packages into node_modules (Node $version)"
    # No package needs its install script, so none is run.
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 ||
      fail "Installing the Node packages failed: the reason is above. Is there a network connection?"
    touch node_modules/.installed
    ;;
esac
