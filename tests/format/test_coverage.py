"""Every key of the format is used by one of its cases, and every claim is shown to fail."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from linkage.case.base import Model, kebab
from linkage.case.claims import ArtifactClaims, LinkClaim, Names, Text
from linkage.case.reader import read_case
from linkage.case.schema import schema_text
from linkage.case.steps import EXPECTATIONS
from support.teeth import teeth

ROOT = Path(__file__).parents[2]
FILES = sorted(Path(__file__).parent.glob("*/*.yaml"))


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for part in model.__subclasses__():
        yield part
        yield from _models(part)


def _own(model: type[BaseModel]) -> set[str]:
    """The fields that a model itself declares: what it shares with others is its base's."""
    return set(model.__annotations__) & set(model.model_fields)


def _used(part: Any) -> Iterator[tuple[str, str]]:
    """The keys that a part of a case uses, each with the model that declares it."""
    if isinstance(part, Model):
        for field in part.model_fields_set & set(type(part).model_fields):
            owner = next(base for base in type(part).__mro__ if field in getattr(base, "__annotations__", ()))
            yield owner.__name__, kebab(field)
            yield from _used(getattr(part, field))
    elif isinstance(part, dict):
        for value in part.values():
            yield from _used(value)
    elif isinstance(part, tuple):
        for value in part:
            yield from _used(value)


USED = {key for file in FILES for key in _used(read_case(file).model)}
KEYS = {("CxxStep", "cc")} ^ {
    (model.__name__, kebab(field))
    for model in _models(Model)
    if model.__module__.startswith("linkage.case.")  # `linkage compare --expect` reads a file of another kind
    for field in _own(model)
}
"""But for the `cc` of a C++ step, which stands for its sources."""


@pytest.mark.parametrize("key", sorted(KEYS), ids=".".join)
def test_every_key_is_used(key: tuple[str, str]) -> None:
    assert key in USED, "no case of the format uses it"


BITTEN = {
    word
    for file in FILES
    for tooth in teeth(file)
    for claim in tooth.claims
    for part in claim.split(".")
    for word in (part, part.partition("[")[0])
}


@pytest.mark.parametrize(
    "key",
    sorted(
        {kebab(field) for model in (ArtifactClaims, LinkClaim, Names, Text) for field in model.model_fields}
        | {kebab(field) for field in EXPECTATIONS}
    ),
)
def test_every_claim_has_a_tooth(key: str) -> None:
    if key in {"when", "where", "normalize", "output", "except"}:  # they limit a claim
        return
    assert key in BITTEN, "nothing shows that this claim can fail"


@pytest.mark.parametrize("key", sorted(kebab(field) for field in ArtifactClaims.model_fields))
def test_every_claim_is_documented_and_in_the_schema(key: str) -> None:
    readme = (ROOT / "cases/README.md").read_text("utf-8")
    assert re.search(rf"`{key}[`:]", readme), "cases/README.md does not name it"
    assert key in json.loads(schema_text())["$defs"]["ArtifactClaims"]["properties"]
