import pytest

from domain.facets import FAMILIES, Facets
from generation.composer import Composer


@pytest.fixture(scope="session")
def composer():
    return Composer(renderer="numpy")


@pytest.fixture(scope="session")
def clips(composer):
    """One clip of every family, rendered once for all tests."""
    return {
        family: composer.compose(Facets(family=family), seed=3, seconds=6.0) for family in FAMILIES
    }
