"""Croissant: the dataset described for machines, as MLCommons has it (``croissant.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from irsmith.dataset import card
from irsmith.dataset.load import Dataset
from irsmith.errors import UserError

if TYPE_CHECKING:
    import mlcroissant as mlc

FILE = "croissant.json"


def render(dataset: Dataset, schema: pa.Schema, layout: Mapping[str, str]) -> str:
    """The description of an export.

    Args:
        dataset: What is exported.
        schema: The columns of its files.
        layout: Split to the pattern of its files, below the folder that the description stands in.

    Raises:
        UserError: The library is not installed.
    """
    try:
        import mlcroissant as mlc
    except ModuleNotFoundError:
        raise UserError("format hf: its metadata need a library: pip install 'irsmith[hub]'") from None
    context = mlc.Context()
    metadata = mlc.Metadata(
        ctx=context,
        name=card.title(dataset.recipe),
        description=card.summary(dataset.recipe, dataset.manifest),
        license=[card.LICENCE_URL],
        cite_as=f"{card.title(dataset.recipe)}, made with irsmith {dataset.manifest.toolchain['irsmith']}",
        version=dataset.manifest.toolchain["irsmith"],
        keywords=["code", "compilers", "synthetic", dataset.recipe.frontend],
        distribution=[
            mlc.FileSet(
                ctx=context,
                id=_files(split),
                name=_files(split),
                encoding_formats=["application/x-parquet"],
                includes=[pattern],
            )
            for split, pattern in layout.items()
        ],
        record_sets=[
            mlc.RecordSet(
                ctx=context,
                id=split,
                name=split,
                description=f"The rows of split {split}.",
                fields=[_field(context, split, entry) for entry in schema],
            )
            for split in layout
        ],
    )
    return json.dumps(metadata.to_json(), indent=1, ensure_ascii=False) + "\n"


def _files(split: str) -> str:
    return f"{split}-files"


def _field(context: mlc.Context, split: str, column: pa.Field) -> mlc.Field:
    """A column; one that holds structs has a field for each of their members."""
    import mlcroissant as mlc

    type_, shape = column.type, {}
    if pa.types.is_list(type_):
        type_, shape = type_.value_type, {"is_array": True, "array_shape": "-1"}
    name = f"{split}/{column.name}"
    if not pa.types.is_struct(type_):
        return mlc.Field(
            ctx=context, id=name, name=name, data_types=[_kind(type_)], source=_source(context, split, column), **shape
        )
    members = [
        mlc.Field(
            ctx=context,
            id=f"{name}/{member.name}",
            name=f"{name}/{member.name}",
            data_types=[_kind(member.type)],
            source=_source(context, split, column, member.name),
        )
        for member in type_
        # What is nested deeper than Croissant's readers go is left to the Parquet schema.
        if not pa.types.is_nested(member.type)
    ]
    return mlc.Field(
        ctx=context, id=name, name=name, source=_source(context, split, column), sub_fields=members, **shape
    )


def _source(context: mlc.Context, split: str, column: pa.Field, member: str | None = None) -> mlc.Source:
    import mlcroissant as mlc

    transforms = [] if member is None else [mlc.Transform(ctx=context, json_path=member)]
    extract = mlc.Extract(ctx=context, column=column.name)
    return mlc.Source(ctx=context, file_set=_files(split), extract=extract, transforms=transforms)


def _kind(type_: pa.DataType) -> str:
    import mlcroissant as mlc

    if pa.types.is_boolean(type_):
        return str(mlc.DataType.BOOL)
    if pa.types.is_integer(type_):
        return str(mlc.DataType.INTEGER)
    if pa.types.is_floating(type_):
        return str(mlc.DataType.FLOAT)
    return str(mlc.DataType.TEXT)
