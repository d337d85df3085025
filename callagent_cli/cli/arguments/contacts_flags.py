"""The options that say how a contacts file is to be read, the same wherever one is read."""

from typing import Annotated

import typer

PhoneColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--phone-column", metavar="COLUMNS", help="Columns of the numbers, in order: A,B."
    ),
]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="What a column holds: field=column."),
]
Encoding = Annotated[
    str, typer.Option(metavar="NAME", help="Encoding of the file, such as cp1252.")
]
Region = Annotated[
    str, typer.Option(metavar="COUNTRY", help="Country of national numbers, such as DE.")
]
International = Annotated[
    bool, typer.Option("--numbers-are-international", help="Numbers without + only lost it.")
]
National = Annotated[
    bool,
    typer.Option("--numbers-are-national", help="Numbers without + are those of --region."),
]
