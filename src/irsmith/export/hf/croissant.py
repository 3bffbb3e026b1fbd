"""Croissant: the dataset described for machines, as MLCommons has it (``croissant.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import pyarrow as pa

from irsmith import licence
from irsmith.dataset import card_sections
from irsmith.dataset.load import Dataset
from irsmith.errors import UserError

if TYPE_CHECKING:
    import mlcroissant as mlc

FILE = "croissant.json"


def render(dataset: Dataset, schemas: Mapping[str, pa.Schema], layout: card_sections.Layout) -> str:
    """The description of an export.

    Args:
        dataset: What is exported.
        schemas: The columns of each frontend's files.
        layout: Where the files of each split are, below the folder that the description stands in.

    Raises:
        UserError: The library is not installed.
    """
    try:
        import mlcroissant as mlc
    except ModuleNotFoundError:
        raise UserError("format hf: its metadata need a library: pip install 'irsmith[hub]'") from None
    context = mlc.Context()
    sets = [
        (frontend, split, f"{frontend}-{split}", pattern)
        for frontend, splits in layout.items()
        for split, pattern in splits.items()
    ]
    title = card_sections.title(dataset.recipes)
    metadata = mlc.Metadata(
        ctx=context,
        name=title,
        description=card_sections.summary(dataset.recipes, dataset.manifest),
        license=[_licence(name) for name in card_sections.licences(dataset.recipes, dataset.manifest)],
        cite_as=f"{title}, version {dataset.manifest.version}, made with irsmith {version('irsmith')}",
        version=dataset.manifest.version,
        keywords=["code", "compilers", "synthetic", *dataset.manifest.configs],
        distribution=[
            mlc.FileSet(
                ctx=context,
                id=_files(name),
                name=_files(name),
                encoding_formats=["application/x-parquet"],
                includes=[pattern],
            )
            for _, _, name, pattern in sets
        ],
        record_sets=[
            mlc.RecordSet(
                ctx=context,
                id=name,
                name=name,
                description=f"The {frontend} rows of split {split}.",
                fields=[_field(context, name, entry) for entry in schemas[frontend]],
            )
            for frontend, split, name, _ in sets
        ],
    )
    return json.dumps(metadata.to_json(), indent=1, ensure_ascii=False) + "\n"


def _licence(name: str) -> str:
    """Where a licence of the SPDX list is described; several in one, and none, stand as they are."""
    return name if " " in name or name == licence.UNSTATED else f"https://spdx.org/licenses/{name}.html"


def _files(records: str) -> str:
    return f"{records}-files"


def _field(context: mlc.Context, records: str, column: pa.Field) -> mlc.Field:
    """A column; one that holds structs has a field for each of their members."""
    import mlcroissant as mlc

    type_, shape = column.type, {}
    if pa.types.is_list(type_):
        type_, shape = type_.value_type, {"is_array": True, "array_shape": "-1"}
    name = f"{records}/{column.name}"
    if not pa.types.is_struct(type_):
        return mlc.Field(
            ctx=context,
            id=name,
            name=name,
            data_types=[_kind(type_)],
            source=_source(context, records, column),
            **shape,
        )
    members = [
        mlc.Field(
            ctx=context,
            id=f"{name}/{member.name}",
            name=f"{name}/{member.name}",
            data_types=[_kind(member.type)],
            source=_source(context, records, column, member.name),
        )
        for member in type_
        # What is nested deeper than Croissant's readers go is left to the Parquet schema.
        if not pa.types.is_nested(member.type)
    ]
    return mlc.Field(
        ctx=context, id=name, name=name, source=_source(context, records, column), sub_fields=members, **shape
    )


def _source(context: mlc.Context, records: str, column: pa.Field, member: str | None = None) -> mlc.Source:
    import mlcroissant as mlc

    transforms = [] if member is None else [mlc.Transform(ctx=context, json_path=member)]
    extract = mlc.Extract(ctx=context, column=column.name)
    return mlc.Source(ctx=context, file_set=_files(records), extract=extract, transforms=transforms)


def _kind(type_: pa.DataType) -> str:
    import mlcroissant as mlc

    if pa.types.is_boolean(type_):
        return str(mlc.DataType.BOOL)
    if pa.types.is_integer(type_):
        return str(mlc.DataType.INTEGER)
    if pa.types.is_floating(type_):
        return str(mlc.DataType.FLOAT)
    return str(mlc.DataType.TEXT)
