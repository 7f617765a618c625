"""Query parameters that a route does not know are refused: a misspelt one would be missed."""

from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_flat_params, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query

from chassis.problems import INVALID, response

MOST_NAMED = 20  # unknown names: a stranger's, told before anybody is asked who they are


async def refuse_unknown(request: Request) -> None:
    """FastAPI dependency. Raises RequestValidationError, with whatever else is wrong in the query.

    Needs no caller: what a route knows is public.
    """
    if not request.scope["query_string"]:
        return
    fields = [
        field
        for field in get_flat_params(request.scope["route"].dependant)
        if isinstance(field.field_info, Query)
    ]
    known = {field.alias for field in fields}
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        _, errors = request_params_to_args(fields, request.query_params)
        errors += [
            {"type": "extra_forbidden", "loc": ("query", name)} for name in unknown[:MOST_NAMED]
        ]
        raise RequestValidationError(errors)


# How the routers of an API are included.
STRICT: dict[str, Any] = {
    "dependencies": [Depends(refuse_unknown)],
    "responses": {422: response(INVALID)},
}
