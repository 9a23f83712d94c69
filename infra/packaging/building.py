"""Building several artefacts at once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from infra.packaging.artifacts import Artifact, build
from infra.packaging.dependencies import install_all
from infra.packaging.platforms import Platform


def build_all(functions: Iterable[str], platform: Platform) -> list[Artifact]:
    """Raises StackError when packages cannot be installed."""
    pool = install_all(platform)
    with ThreadPoolExecutor() as threads:  # zlib works beside Python
        return list(threads.map(lambda function: build(function, platform, pool), functions))
