"""HTTP routes of the catalogue, open to everyone."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import AfterValidator, TypeAdapter

from functions.catalog import caching, service
from functions.catalog.models import Product, ProductDetail
from shared.dependencies import GuestGateway, ProductId
from shared.errors import NexusError, NotFound, Unavailable
from shared.http import problem_response
from shared.openapi import ANYONE, callable_by
from shared.text import searchable

router = APIRouter(tags=["catalogue"])

PRODUCT_LIST = "/api/products"
PAGE_SIZE = 200

_FAILURE = "The catalogue is not available right now. Please try again shortly.\n"
_TAG = {
    "description": "Of this content: send it as `If-None-Match` next time",
    "required": True,
    "schema": {"type": "string", "examples": ['W/"8b1f0c7de2a94c55b0a3f6d17c2e9b40"']},
}
_CACHING = {
    "description": "To be kept, and asked about before it is shown again",
    "required": True,
    "schema": {"type": "string", "examples": ["public, no-cache"]},
}
_NEXT_PAGE = {
    "description": "Of the next page; missing on the last one",
    "schema": {"type": "string", "examples": ['</api/products?cursor=MED200>; rel="next"']},
}
_KEPT = {"ETag": _TAG, "Cache-Control": _CACHING}

Searched = Annotated[str | None, AfterValidator(searchable)]
"""What people type is searched for as far as it goes: the page would break on a refusal."""

IfNoneMatch = Annotated[
    str | None, Header(description="The `ETag` of what is known: 304 when it is still so")
]

_PRODUCTS = TypeAdapter(list[Product])


@router.get(
    PRODUCT_LIST,
    summary="Browse or search the catalogue",
    response_model=list[Product],
    responses={
        200: {"headers": {**_KEPT, "Link": _NEXT_PAGE}},
        304: {"description": "Still what `If-None-Match` names", "headers": {**_KEPT, "Link": _NEXT_PAGE}},
        503: {
            "description": "Service Unavailable",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _FAILURE}},
        },
    },
)
@callable_by(ANYONE)
def list_products(
    request: Request,
    database: GuestGateway,
    category: Annotated[Searched, Query(description="In any case", examples=["Pain Relief"])] = None,
    search: Annotated[
        Searched, Query(description="Names, ingredients; misspellings are fine", examples=["dolo"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE, description="Products on a page")] = PAGE_SIZE,
    cursor: Annotated[Searched, Query(description="From the `Link` header of the page before")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A bare array of at most `limit` products. When there are more, the `Link` header has the next page.

    A cursor that no page gave out leads to a page like any other, or to an empty one.
    """
    page = service.search(database, text=search, category=category, limit=limit, cursor=cursor)
    headers = {}
    if page.next_cursor:
        query = urlencode({**request.query_params, "cursor": page.next_cursor})
        headers["Link"] = f'<{PRODUCT_LIST}?{query}>; rel="next"'
    content = _PRODUCTS.dump_json(page.products)
    return caching.answer(content, headers, if_none_match=if_none_match)


@router.get(
    "/api/products/{product_id}",
    summary="One product, with its alternatives",
    response_model=ProductDetail,
    responses={
        200: {"headers": _KEPT},
        304: {"description": "Still what `If-None-Match` names", "headers": _KEPT},
    },
)
@callable_by(ANYONE, NotFound("There is no such product.", code="product_not_found"), Unavailable)
def product_detail(
    product_id: ProductId, database: GuestGateway, if_none_match: IfNoneMatch = None
) -> Response:
    """`alternatives` are other products of the same composition: those of the same strength and form first,
    then cheaper ones. Another strength is no substitute."""
    product = service.product(database, product_id)
    return caching.answer(product.model_dump_json().encode(), {}, if_none_match=if_none_match)


def catalogue_problem(request: Request, error: NexusError) -> Response:
    """The list page takes any JSON object for its array and breaks: there, our failures are plain text."""
    if request.scope["path"] == PRODUCT_LIST and error.status >= 500:
        return PlainTextResponse(
            _FAILURE,
            status_code=Unavailable.status,
            headers=dict(Unavailable.headers),
        )
    return problem_response(request, error)
