# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Values of options that are read by rules of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ..core.quantities import parse_duration, parse_size

Callback = Callable[[click.Context, click.Parameter, str | None], Any]


def written(read: Callable[[str], Any]) -> Callback:
    """Return an option's callback that reads its text.

    :param read: raises ``ValueError`` with a sentence for a text that it does not take.
    """

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return callback


as_duration = written(parse_duration)
"""For a time such as ``2d``, as a ``timedelta``."""

as_size = written(parse_size)
"""For a size such as ``5GiB``, in bytes."""
