"""The rendered matrix, and the real API server."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools/dev")]

# pylint: disable=wrong-import-position
from chart import MATRIX, render  # noqa: E402
from cluster.binaries import Binaries  # noqa: E402
from cluster.cloud import CloudHalf  # noqa: E402


@pytest.fixture(scope="session", name="binaries")
def fixture_binaries():
    """The built programs."""
    return Binaries()


@pytest.fixture(scope="session", params=sorted(MATRIX), name="objects")
def fixture_objects(request):
    """The objects of one row of the matrix."""
    return render(*MATRIX[request.param])


@pytest.fixture(scope="module", name="cloud")
def fixture_cloud(tmp_path_factory, binaries):
    """standalone-api-svc, running."""
    folder = tmp_path_factory.mktemp("cloud")
    cloud = CloudHalf(folder, folder, binaries)
    cloud.start_api()
    yield cloud
    cloud.api.stop()
