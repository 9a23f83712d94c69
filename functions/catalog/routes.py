"""HTTP routes of the catalogue, open to everyone."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from functions.catalog import service
from functions.catalog.models import Product, ProductDetail
from shared.dependencies import GuestGateway
from shared.errors import NexusError, Unavailable
from shared.http import problem_response
from shared.text import Identifier, Line

router = APIRouter(tags=["catalogue"])

PRODUCT_LIST = "/api/products"
PAGE_SIZE = 200


@router.get(PRODUCT_LIST, summary="Browse or search the catalogue")
def list_products(
    request: Request,
    response: Response,
    database: GuestGateway,
    category: Annotated[Line | None, Query(max_length=100, examples=["Pain Relief"])] = None,
    search: Annotated[
        Line | None, Query(max_length=200, description="Names, ingredients; misspellings are fine")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE)] = PAGE_SIZE,
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
def product_detail(product_id: Identifier, database: GuestGateway) -> ProductDetail:
    return service.product(database, product_id)


def catalogue_problem(request: Request, error: NexusError) -> Response:
    """The list page takes any JSON object for its array and breaks: there, our failures are plain text."""
    if request.scope["path"] == PRODUCT_LIST and error.status >= 500:
        return PlainTextResponse(
            "The catalogue is not available right now. Please try again shortly.\n",
            status_code=Unavailable.status,
            headers=dict(Unavailable.headers),
        )
    return problem_response(request, error)
