"""HTTP routes of the catalogue, open to everyone."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from functions.catalog import service
from functions.catalog.models import Product, ProductDetail
from shared.dependencies import GuestGateway, ProductId
from shared.errors import NexusError, NotFound, Unavailable
from shared.http import problem_response
from shared.openapi import ANYONE, callable_by
from shared.text import Identifier, Line

router = APIRouter(tags=["catalogue"])

PRODUCT_LIST = "/api/products"
PAGE_SIZE = 200

_FAILURE = "The catalogue is not available right now. Please try again shortly.\n"
_NEXT_PAGE = {
    "description": "Of the next page; missing on the last one",
    "schema": {"type": "string", "examples": ['</api/products?cursor=MED200>; rel="next"']},
}


@router.get(
    PRODUCT_LIST,
    summary="Browse or search the catalogue",
    responses={
        200: {"headers": {"Link": _NEXT_PAGE}},
        503: {
            "description": "Service Unavailable",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _FAILURE}},
        },
    },
)
@callable_by(ANYONE)
def list_products(
    request: Request,
    response: Response,
    database: GuestGateway,
    category: Annotated[Line | None, Query(max_length=100, examples=["Pain Relief"])] = None,
    search: Annotated[
        Line | None, Query(max_length=200, description="Names, ingredients; misspellings are fine")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE, description="Products on a page")] = PAGE_SIZE,
    cursor: Annotated[
        Identifier | None, Query(description="From the `Link` header of the page before")
    ] = None,
) -> list[Product]:
    """A bare array of at most `limit` products. When there are more, the `Link` header has the next page."""
    page = service.search(database, text=search, category=category, limit=limit, cursor=cursor)
    if page.next_cursor:
        query = urlencode({**request.query_params, "cursor": page.next_cursor})
        response.headers["Link"] = f'<{PRODUCT_LIST}?{query}>; rel="next"'
    return page.products


@router.get("/api/products/{product_id}", summary="One product, with its alternatives")
@callable_by(ANYONE, NotFound("There is no such product.", code="product_not_found"), Unavailable)
def product_detail(product_id: ProductId, database: GuestGateway) -> ProductDetail:
    """`alternatives` are the other products of the same composition, cheaper ones first."""
    return service.product(database, product_id)


def catalogue_problem(request: Request, error: NexusError) -> Response:
    """The list page takes any JSON object for its array and breaks: there, our failures are plain text."""
    if request.scope["path"] == PRODUCT_LIST and error.status >= 500:
        return PlainTextResponse(
            _FAILURE,
            status_code=Unavailable.status,
            headers=dict(Unavailable.headers),
        )
    return problem_response(request, error)
